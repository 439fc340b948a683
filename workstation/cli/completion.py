"""``completion``: what a shell needs to complete verbs, options and choices."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish", "powershell")

# click completes for the first three; PowerShell asks through the same protocol as bash.
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName workstation -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    if ($wordToComplete -eq '') { $words += '""' }
    $env:COMP_WORDS = $words -join ' '
    $env:COMP_CWORD = $words.Count - 1
    $env:_WORKSTATION_COMPLETE = 'bash_complete'
    try {
        workstation | ForEach-Object {
            $kind, $value = $_ -split ',', 2
            if ($kind -eq 'plain') {
                [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $value)
            }
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:_WORKSTATION_COMPLETE
    }
}
"""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    bash: eval "$(workstation completion bash)"; zsh the same; fish: workstation completion fish | source;
    PowerShell: workstation completion powershell | Out-String | Invoke-Expression
    """
    if shell == "powershell":
        click.echo(_POWERSHELL)
        return
    from click.shell_completion import get_completion_class

    from workstation.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"no completion for {shell}")
    click.echo(found(cli, {}, "workstation", "_WORKSTATION_COMPLETE").source())
