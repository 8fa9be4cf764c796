"""The full command line of the probes: typer commands made from what each probe declares."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from probes.kit import catalog, cold
from probes.kit.options import Field, OptionErrors, environment_name
from probes.kit.run import USAGE, RunOptions

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def probe_app() -> typer.Typer:
    """`stetho probe`: a command for each module in `probes/`."""
    app = typer.Typer(no_args_is_help=True, context_settings=HELP, add_completion=False)

    @app.callback()
    def probe() -> None:
        """Ask one question, once. Exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, 64 for a mistake in the call."""

    for name in catalog.names():
        app.command(name, epilog=_environment(name))(command(name))
    return app


def _environment(name: str) -> str:
    first = catalog.load(name).Options.fields[0]
    return f"Options can come from the environment too: {environment_name(name, first.keys[-1])} for {first.flag}."


def command(name: str) -> Callable[..., None]:
    """One probe as a typer command; its parameters are its options."""
    module = catalog.load(name)
    fields = (*module.Options.fields, *RunOptions.fields)

    def ask(**values: Any) -> None:
        given = {field.keys[-1]: text for field in fields if (text := _text(values[field.attribute])) is not None}
        try:
            code = cold.answer(name, module, given)
        except OptionErrors as errors:
            by_name = {key: field for field in fields for key in field.keys}
            raise typer.TyperException(
                "\n".join(f"{by_name[error.option].flag} {error}" for error in errors.errors)
            ) from None
        raise typer.Exit(code)

    parameters = [_parameter(field) for field in fields]
    ask.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    ask.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    ask.__doc__ = inspect.cleandoc(module.__doc__ or "")
    return ask


def _parameter(field: Field) -> inspect.Parameter:
    names = [field.flag, f"--no-{field.name.replace('_', '-')}"] if field.type is bool else [field.flag]
    annotation = list[str] | None if field.many else bool | None if field.type is bool else str | None
    default = typer.Option(
        None,
        "/".join(names),
        help=f"{field.help}{_default(field)}",
        metavar=field.metavar or None,
        show_default=False,
        rich_help_panel="How to ask" if field in RunOptions.fields else None,
    )
    return inspect.Parameter(field.attribute, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _default(field: Field) -> str:
    if field.required:
        return " Required."
    if field.default in (None, (), False):
        return ""
    return f" Default: {field.default}."


def _text(value: Any) -> str | list[str] | None:
    if value is None or value == []:
        return None
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def list_probes() -> None:
    """List the probes: every module in `probes/`, with what it asks."""
    width = max(map(len, catalog.names()), default=0)
    for name in catalog.names():
        typer.echo(f"{name:<{width}}  {catalog.summary(catalog.load(name))}")


def run_app(app: typer.Typer, argv: Sequence[str]) -> int:
    """The exit code of a command line; a mistake in the call is 64, or 3 in Nagios' style, whatever was asked."""
    try:
        code = app(args=list(argv), prog_name="stetho", standalone_mode=False)
    except typer.TyperException as error:
        show = getattr(error, "show", None)
        show() if show else sys.stderr.write(f"Error: {error}\n")
        return usage_code(argv)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    return int(code or 0)


def usage_code(argv: Sequence[str]) -> int:
    style = os.environ.get("STETHO_EXIT_STYLE", "")
    for at, word in enumerate(argv):
        if word.startswith("--exit-style"):
            style = word.partition("=")[2] or "".join(argv[at + 1 : at + 2])
    return 3 if style == "nagios" else USAGE
