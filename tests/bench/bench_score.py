"""How well the checks see what is planted: a thousand mixed moments with noise on every label, seed by seed.

python tests/bench/bench_score.py [--samples 1000] [--seeds 11] [--last]

Prints recall and precision by type of error with 95 % intervals, errors near their limit apart, and the speed of the
checks. Goals: recall ≥ 95 %, precision ≥ 95 %. ``--last`` takes the second set of seeds, which is to be run once, at
the end, and reported as it falls.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import process_time

import workstation
from workstation.app.demo_mixed import build
from workstation.app.evidence import media_evidence
from workstation.app.injecting import PLAN_FILE, Wish, inject
from workstation.app.opening import new_project
from workstation.app.scoring import read_plan, score, score_rows
from workstation.app.session import Session
from workstation.app.validation import Validation
from workstation.core.records import RecordKind

FIRST, LAST = (11,), (7001,)
GOAL = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--last", action="store_true", help="the second set of seeds, once, at the end")
    options = parser.parse_args()
    for seed in options.seeds or (LAST if options.last else FIRST):
        with tempfile.TemporaryDirectory(prefix="score-") as scratch:
            _run(Path(scratch), seed, options.samples)


def _run(scratch: Path, seed: int, count: int) -> None:
    clean = new_project(scratch / "clean", name="mixed", profile="driving", in_force=True, person="Ana")
    with workstation.open_project(clean, kind="import", tool="demo") as session:
        build(session, scratch / "media", count=count, seed=seed)
        labels = sum(1 for _ in session.store.records(RecordKind.ANNOTATION))
        untidy = _found(session)
    print(
        f"seed {seed}: {count} clean samples, {labels} labels: {untidy[0]} findings, {labels / untidy[1]:.0f} labels/s"
    )
    copy = scratch / "copy"
    inject(clean, copy, Wish(seed=seed, share=1.0))
    with workstation.open_project(copy, read_only=True) as session:
        run = Validation(session.store, evidence=media_evidence(session.store, session.project))
        found = ((None if sample is None else sample.key, findings) for sample, findings in run.findings())
        made = score(read_plan(copy / PLAN_FILE), found)
    for row in score_rows(made):
        recall = "" if row["recall"] is None else f"recall {row['recall']:6.1%} {row['recall_interval']}"
        precise = "" if row["precision"] is None else f"precision {row['precision']:6.1%} {row['precision_interval']}"
        print(
            f"  {row['name']:18} planted {row['planted']:4}  found {row['found']:4}  {recall:32} {precise:36} "
            f"false {row['false_findings'] or 0:3}  below {row['spoke_below']}/{row['below_limit']}  "
            f"near {row['near_found']}/{row['near_limit']}"
        )
    for finding in made.false[:12]:
        print(f"  false {finding.rule}: {finding.text[:140]}")
    for name, tally in sorted(made.kinds.items()):
        for missed in tally.missed[:3]:
            print(f"  missed {name}: {missed}")
    whole = next(row for row in score_rows(made) if row["scope"] == "all")
    met = (whole["recall"] or 0) >= GOAL and (whole["precision"] or 0) >= GOAL
    print(f"  goal recall and precision ≥ {GOAL:.0%}: {'met' if met else 'not met'}")


def _found(session: Session) -> tuple[int, float]:
    begun = process_time()
    run = Validation(session.store, evidence=media_evidence(session.store, session.project))
    count = sum(len(found) for _, found in run.findings())
    return count, process_time() - begun


if __name__ == "__main__":
    main()
