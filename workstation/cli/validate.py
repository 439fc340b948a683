"""``validate`` and ``report``: what the checks find, and who works under which guideline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json, print_rows

if TYPE_CHECKING:
    from workstation.app.scoring import Score
    from workstation.app.session import Session
    from workstation.app.validation import Summary
    from workstation.core.sample import Sample
    from workstation.qa.findings import Finding


_FEW = 5
_SCORES = (
    "name", "planted", "found", "named_otherwise", "recall", "recall_interval", "true_findings", "false_findings",
    "precision", "precision_interval", "below_limit", "spoke_below", "near_limit", "near_found",
)  # fmt: skip
_COUNTS = (
    "rule", "found", "open", "confirmed", "fixed", "dismissed", "waived", "precision", "noisy", "not_run",
)  # fmt: skip


@click.command()
@click.argument("project", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--only", multiple=True, metavar="SUBJECT|RULE", help="Only these rules, or all of a subject; may be repeated."
)
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--allow-not-run", is_flag=True, help="End with 0 although a rule could not run.")
@click.option("--all", "show_all", is_flag=True, help="Print settled findings (dismissed, waived) as well.")
@click.option("--keep", is_flag=True, help="Keep the findings in the project, for the window; needs --person.")
@click.option(
    "--try", "tried", metavar="SENTENCE", help="Only what this check of your own would find; it is not switched on."
)
@click.option(
    "--score", is_flag=True, help="Hold what is found against what workstation inject planted, by type of error."
)
@click.option(
    "--plan",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The plan of --score, if it is not planted.json in the project.",
)
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and check nothing.")
@click.option("--markdown", is_flag=True, help="With --rules: the chapter of the manual about them.")
@acting
@json_option
def validate(
    project: Path | None,
    only: tuple[str, ...],
    sample: str | None,
    allow_not_run: bool,
    show_all: bool,
    keep: bool,
    tried: str | None,
    score: bool,
    plan: Path | None,
    list_rules: bool,
    markdown: bool,
    person: str | None,
    role: str | None,
    as_json: bool,
) -> int:
    """Check PROJECT, and print what is wrong with its labels and links.

    Held against its ontology, its links and its guideline.
    Ends with 0 when nothing is open, with 1 when something is or a rule could not run, with 2 when it could not check.
    """
    from workstation.app.validation import rule_rows

    if markdown:
        from workstation.app.rule_page import rules_page

        if not list_rules:
            raise click.UsageError("--markdown is for --rules")
        click.echo(rules_page(), nl=False)
        return 0
    if list_rules:
        print_rows(rule_rows(), columns=("rule", "error_type", "severity", "help"), as_json=as_json)
        return 0
    if project is None:
        raise click.UsageError("name the project to check, or list the rules with --rules")
    if tried is not None:
        return _try(project, tried, sample, as_json=as_json)
    if score:
        return _score(project, only, plan, as_json=as_json)
    with to_write(project, person, role, tool="validate") if keep else to_read(project) as session:
        summary = _check(session, only, sample, keep=keep, show_all=show_all, as_json=as_json)
    return 1 if summary.open or (summary.not_run and not allow_not_run) else 0


def _try(project: Path, says: str, key: str | None, *, as_json: bool) -> int:
    from workstation.app.evidence import media_evidence
    from workstation.app.relation_search import tried
    from workstation.app.validation import finding_row

    with to_read(project) as session:
        store = session.store
        found, run = tried(store, says, media_evidence(store, session.project), sample=_sample(session, key))
        for sample, findings in found:
            if as_json:
                for finding in findings:
                    print_json(finding_row(finding, sample))
            else:
                _print_sample(sample, findings)
        summary = run.summary()
        print_json(_summary_row(summary)) if as_json else _print_summary(summary)
    return 1 if found or summary.not_run else 0


def _sample(session: Session, key: str | None) -> Sample | None:
    from workstation.core.errors import UserError

    found = None if key is None else session.store.sample_by_key(key)
    if key is not None and found is None:
        raise UserError(f"there is no sample {key[:80]!r}")
    return found


def _score(project: Path, only: tuple[str, ...], plan: Path | None, *, as_json: bool) -> int:
    from workstation.app.evidence import media_evidence
    from workstation.app.injecting import PLAN_FILE
    from workstation.app.scoring import read_plan, score, score_rows
    from workstation.app.validation import Validation

    with to_read(project) as session:
        planted = read_plan(plan or session.project.path / PLAN_FILE)
        run = Validation(session.store, only=only, evidence=media_evidence(session.store, session.project))
        found = ((None if sample is None else sample.key, findings) for sample, findings in run.findings())
        made = score(planted, found)
        print_rows(score_rows(made), columns=_SCORES, as_json=as_json)
        if not as_json:
            _print_missed(made)
            _print_summary(run.summary())
    whole = next(row for row in score_rows(made) if row["scope"] == "all")
    return 1 if whole["found"] < whole["planted"] or whole["false_findings"] or whole["spoke_below"] else 0


def _print_missed(made: Score) -> None:
    for name, tally in sorted(made.kinds.items()):
        for missed in tally.missed[:_FEW]:
            click.echo(f"missed {name}: {missed}")
    for finding in made.false[:_FEW]:
        click.echo(f"false {finding.rule}: {finding.text}")


def _check(
    session: Session, only: tuple[str, ...], key: str | None, *, keep: bool, show_all: bool, as_json: bool
) -> Summary:
    from workstation.app.evidence import media_evidence
    from workstation.app.validation import Validation, finding_row

    store = session.store
    found = _sample(session, key)
    run = Validation(store, only=only, sample=found, evidence=media_evidence(store, session.project))
    for sample, findings in run.findings(keep_in=store if keep else None):
        shown = [finding for finding in findings if show_all or not finding.settled]
        if as_json:
            for finding in shown:
                print_json(finding_row(finding, sample))
        elif shown:
            _print_sample(sample, shown)
    summary = run.summary()
    if as_json:
        print_json(_summary_row(summary))
    else:
        _print_summary(summary)
    return summary


def _print_sample(sample: Sample | None, findings: list[Finding]) -> None:
    click.echo("Project" if sample is None else f"Sample {sample.key}")
    for finding in findings:
        state = "" if finding.state.value == "open" else f" [{finding.state.value}]"
        click.echo(f"  {finding.severity.value} {finding.rule} ({finding.error_type.value}){state}: {finding.text}.")
        measured = "" if finding.measured is None else f"measured {_value(finding.measured)}{_unit(finding)}"
        limit = "" if finding.limit is None else f"limit {_value(finding.limit)}{_unit(finding)}"
        if measured or limit:
            click.echo(f"    {', '.join(part for part in (measured, limit) if part)}")
        click.echo(f"    items {' '.join(f'{item.kind}:{item.id}' for item in finding.items)}")
        if finding.suggestion:
            click.echo(f"    {finding.suggestion[0].upper()}{finding.suggestion[1:]}.")
        if finding.reason:
            click.echo(f"    {finding.state.value}: {finding.reason}")
        click.echo(f"    fingerprint {finding.fingerprint}")


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _unit(finding: Finding) -> str:
    return f" {finding.unit}" if finding.unit else ""


def _print_summary(summary: Summary) -> None:
    for missed in summary.not_run:
        where = f" on {missed.samples} samples" if missed.samples else ""
        click.echo(f"Not run{where}: {missed.rule}: {missed.reason}.")
    settled = f", {summary.settled} settled" if summary.settled else ""
    if summary.by_type:
        click.echo(f"Open by type: {', '.join(f'{count} {name}' for name, count in summary.by_type.items())}.")
    click.echo(
        f"{summary.samples} samples, {summary.rules} rules: {summary.open or 'no'} open findings{settled}, "
        f"{len(summary.not_run) or 'no'} rules not run."
    )


def _summary_row(summary: Summary) -> dict[str, object]:
    return {
        "summary": {
            "samples": summary.samples,
            "rules": summary.rules,
            "open": summary.open,
            "by_type": dict(summary.by_type),
            "settled": summary.settled,
            "not_run": [
                {"rule": missed.rule, "reason": missed.reason, "samples": missed.samples} for missed in summary.not_run
            ],
        }
    }


@click.group()
def report() -> None:
    """Reports on a project: how good its checks are, guideline read, offsets of sound, calibration of cameras."""


@report.command()
@project_argument
@click.option("--kept", is_flag=True, help="Count what the last validate --keep found, in place of checking anew.")
@json_option
def rules(project: Path, kept: bool, as_json: bool) -> int:
    """Count, rule by rule, what PROJECT's checks find and what people made of it.

    Precision is the share that nobody dismissed; a rule of which most was dismissed is noisy. Ends with 1 if one is.
    """
    from workstation.app.evidence import media_evidence
    from workstation.app.rule_counts import checked_counts, kept_counts

    with to_read(project) as session:
        store = session.store
        counts = kept_counts(store) if kept else checked_counts(store, media_evidence(store, session.project))
    print_rows([each.plain() for each in counts], columns=_COUNTS, as_json=as_json)
    return 1 if any(each.noisy for each in counts) else 0


@report.command("cases")
@project_argument
@click.option("--all", "settled", is_flag=True, help="Also those that are resolved.")
@json_option
def edge_cases(project: Path, settled: bool, as_json: bool) -> None:
    """The set of edge cases of PROJECT: what somebody tagged as one, by whom, and under which number of the guideline.

    None of it is accepted together with other proposals.
    """
    from workstation.app.edge_cases import edge_case_rows

    with to_read(project) as session:
        rows = edge_case_rows(session.store, settled=settled)
    print_rows(rows, columns=("sample", "what", "case", "said", "by", "state"), as_json=as_json)


@report.command()
@project_argument
@json_option
def links(project: Path, as_json: bool) -> None:
    """How far the relations of PROJECT have come: what is linked of what could be, and how far people agree.

    The first line is the project's highest-value link (project.set main_link); link types that are switched off come
    last. Agreement is twice what two layers linked alike, of all that either linked.
    """
    from workstation.app.link_figures import project_figures

    with to_read(project) as session:
        found = project_figures(session.store)
    if as_json:
        for each in found:
            print_json(each.plain())
        return
    if not any(each.main for each in found):
        click.echo("No link type is named the highest-value one (project.set main_link=…).")
    for each in found:
        sign = "* " if each.main else "  "
        made = each.plain()["made"]
        click.echo(f"{sign}{each.words()}; {made:,} made{' (switched off)' if each.off else ''}")


@report.command()
@project_argument
@json_option
def acknowledgements(project: Path, as_json: bool) -> int:
    """List who in PROJECT has read which version of the guideline. Ends with 1 when somebody is behind."""
    from workstation.app.validation import acknowledgement_rows

    with to_read(project) as session:
        rows = list(acknowledgement_rows(session.store))
    columns = ("person", "roles", "read", "newest", "behind")
    print_rows(rows, columns=columns, as_json=as_json)
    if not as_json and rows and not rows[0]["newest"]:
        click.echo("The project has no guideline yet.")
    return 1 if any(row["behind"] for row in rows) else 0


@report.command()
@project_argument
@json_option
def mix(project: Path, as_json: bool) -> int:
    """How the errors of PROJECT fall on the four kinds of sync error, beside the mix that is usually seen.

    Temporal 40 %, semantic 30 %, missing reference 20 %, granularity 10 %. Ends with 1 when something is open.
    """
    from workstation.app.error_mix import mix_of, mix_rows
    from workstation.app.evidence import media_evidence

    with to_read(project) as session:
        found = mix_of(session.store, media_evidence(session.store, session.project))
    rows = list(mix_rows(found))
    if as_json:
        for row in rows:
            print_json({name: value for name, value in row.items() if not name.endswith("bar")})
    else:
        for row in rows:
            share = "" if row["share"] is None else f"{row['share']:6.1%}"
            click.echo(f"{row['error_type']:18} {row['open']:6} {share:7} {row['bar']}")
            if row["usual"] is not None:
                click.echo(f"{'usually':>18} {'':6} {row['usual']:6.0%}  {row['usual_bar']}")
    return 1 if found.total() else 0


@report.command()
@project_argument
@json_option
def offsets(project: Path, as_json: bool) -> int:
    """How far sound and picture are apart over all samples of PROJECT: a small offset that most of them share.

    Counts what was measured and kept (sync clap --note) and, where nothing was, the links of what is seen and heard.
    Ends with 1 when the mean is systematic, although no sample may fail by itself.
    """
    from workstation.app.offset_report import offset_rows, spread_of

    with to_read(project) as session:
        rows = list(offset_rows(session.store))
        spread = spread_of([row.late_ms for row in rows])
    if as_json:
        for row in rows:
            print_json(row.plain())
        print_json({"spread": None if spread is None else spread.plain()})
    elif spread is None:
        click.echo(f"{len(rows)} samples say how far sound and picture are apart; a spread needs at least three.")
    else:
        click.echo(spread.words())
        for line in spread.bars():
            click.echo(f"  {line}")
    return 1 if spread is not None and spread.systematic else 0


@report.command()
@project_argument
@click.option("--sample", metavar="KEY", help="Only this sample.")
@json_option
def calibration(project: Path, sample: str | None, as_json: bool) -> int:
    """Whether cameras look where they are said to, by things that have boxes in them and cuboids in space.

    Shows how far each thing's boxes stand beside its projected cuboid against its range. What grows with the range is
    an angle, and its size is told; one thing that is off alone is misplaced. Ends with 1 when a camera is off.
    """
    from workstation.app.calibration_report import report_of
    from workstation.cli.moments import sample_named
    from workstation.core.evidence import Unmeasured

    wrong = 0
    with to_read(project) as session:
        for each in session.store.samples() if sample is None else [sample_named(session, sample)]:
            try:
                found = report_of(session.store, session.project, each)
            except Unmeasured as why:
                click.echo(f"{each.key}: not judged: {why}", err=True)
                continue
            wrong += sum(camera.off for camera in found.cameras)
            if as_json:
                suspects = [
                    {"cause": s.cause.value, "camera": s.camera, "thing": s.thing, "evidence": list(s.evidence)}
                    for s in found.suspects()
                ]
                cameras = [camera.plain() for camera in found.cameras]
                print_json({"sample": each.key, "cameras": cameras, "suspects": suspects})
                continue
            for camera in found.cameras:
                click.echo(f"{each.key}: {camera.words()}")
                for line in camera.bars():
                    click.echo(f"  {line}")
            for suspect in found.suspects()[:20]:
                click.echo(f"  {suspect.words()}: {'; '.join(suspect.evidence)}")
            if not found.cameras:
                click.echo(f"{each.key}: nothing has boxes in a calibrated camera and a cuboid.")
    return 1 if wrong else 0


@report.command()
@project_argument
@click.option(
    "--by", type=click.Choice(["model", "class", "lang", "language", "modality", "person"]), default="model",
    show_default=True, help="One row for each of these.",
)  # fmt: skip
@json_option
def prelabel(project: Path, by: str, as_json: bool) -> int:
    """What proposals were worth in PROJECT: accepted, edited, rejected, and the time with and without them.

    wer is the share of proposed words that people changed in what they kept; of a language, sound and text apart.
    Below it, per person: what is accepted unedited and how fast, beside how far the same models agree with what was
    labelled without them (project.set, tolerance blind_share). Ends with 1 when somebody seems to accept everything.
    """
    from workstation.app.prelabel_report import automation_rows, prelabel_rows

    key = "language" if by == "lang" else by
    with to_read(project) as session:
        rows, people = prelabel_rows(session.store, key), automation_rows(session.store)
    columns = (
        key, *(("modality",) if key == "language" else ()), "proposed", "accepted", "edited", "rejected", "waiting",
        "acceptance", "share_edited", "wer", "s_with",
        "s_without", "saved", "claim",
    )  # fmt: skip
    print_rows(rows, columns=columns, as_json=as_json)
    told = ("person", "judged", "unedited", "s_to_accept", "blind_proposals", "blind_agreement", "marked")
    if people:
        if not as_json:
            click.echo("")
        print_rows(people, columns=told, as_json=as_json)
    return 1 if any(each["marked"] for each in people) else 0


@report.command()
@project_argument
@json_option
def disagreement(project: Path, as_json: bool) -> int:
    """Order the samples of PROJECT by how far models and people's labels disagree, the most disputed first.

    Counts proposals of at least 0.5 where nobody labelled the same, and labels of their classes that no model saw.
    """
    from workstation.app.sample_disagreement import disagreements

    with to_read(project) as session:
        rows = [
            {"sample": each.sample, "share": round(each.share, 3), "alone": each.alone, "claims": each.claims,
             "other_class": each.other_class, "first": each.ids[0] if each.ids else ""}
            for each in disagreements(session.store)
        ]  # fmt: skip
    columns = ("sample", "share", "alone", "claims", "other_class", "first")
    print_rows(rows, columns=columns, as_json=as_json)
    return 0


@report.command("next")
@project_argument
@click.option("--seed", type=int, default=0, show_default=True, help="Orders what is equal; the same, the same order.")
@click.option("--many", type=click.IntRange(min=1), default=10, show_default=True, help="How many samples.")
@json_option
def next_(project: Path, seed: int, many: int, as_json: bool) -> None:
    """Which samples of PROJECT to work on next, with the reason for each.

    Uncertainty of what is proposed, disagreement between modalities and between model and label, rare classes, and
    classes nobody has finished a label of count alike.
    """
    from workstation.app.next_samples import next_samples

    with to_read(project) as session:
        rows = [each.plain() for each in next_samples(session.store, seed=seed)[:many]]
    print_rows(rows, columns=("sample", "score", "reason"), as_json=as_json, whole=True)


@report.command()
@project_argument
@click.option("--limit", type=float, metavar="SCORE", help="Count what this limit would flag.")
@json_option
def likeness(project: Path, limit: float | None, as_json: bool) -> int:
    """How near texts are in meaning to what is labelled in their pictures, and where a limit parts true from false.

    Each text of PROJECT is held against its own labels and those of other samples, by the sentence model that is
    installed. Shows the texts that fit worst, how many each limit flags, and the limit that parts best. The check
    likeness.tags uses the project's tolerance tag_likeness.
    """
    from workstation.app.evidence import media_evidence
    from workstation.app.likeness_curve import likeness_curve

    with to_read(project) as session:
        curve = likeness_curve(session.store, media_evidence(session.store, session.project))
        tolerances = getattr(session.store.project(), "tolerances", {})
    chosen = tolerances.get("tag_likeness", curve.suggested) if limit is None else limit
    rows = [each.plain() for each in curve.pairs]
    if as_json:
        for row in rows:
            print_json(row)
        print_json(curve.plain(chosen))
        return 0
    print_rows(rows[:_WORST], columns=("own", "crossed", "sample", "text"), as_json=False)
    for line in curve.words(chosen):
        click.echo(line)
    return 0


_WORST = 20
"""Texts that are shown to people; all of them go into JSON."""
