from collections.abc import Sequence
import typer
from probes.kit.cli import HELP, list_probes, probe_app, run_app

def app() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, context_settings=HELP, add_completion=False)
    app.add_typer(probe_app(), name="probe")
    app.command("probes")(list_probes)
    return app

def main(argv: Sequence[str]) -> int:
    return run_app(app(), argv)
