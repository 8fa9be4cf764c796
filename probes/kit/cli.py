"""The full command line of the probes: typer commands made from what each probe declares."""

import inspect
import io
import os
import select
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer

from probes.kit import catalog, cold
from probes.kit.options import Field, OptionErrors, Url, environment_name
from probes.kit.run import USAGE, RunOptions, fault, last_words, tell
from probes.kit.version import __version__

HELP: dict[str, Any] = {"help_option_names": ["--help", "-h"], "max_content_width": 110}
EXIT_CODES = """\b
Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (we could not learn the state);
with --as liveness or --as readiness 0 yes, 1 no; 64 a mistake in the call."""

Given = Mapping[str, str | list[str]]


def probe_app() -> typer.Typer:
    """`stetho probe`: a command for each module in `probes/`."""
    app = typer.Typer(no_args_is_help=True, context_settings=HELP, add_completion=False, rich_markup_mode=None)

    @app.callback(epilog=EXIT_CODES)
    def probe() -> None:
        """Ask one system one question, once; answer with an exit code and JSON, or text on a terminal."""

    for name in catalog.names():
        try:
            module = catalog.load(name)
            app.command(name, short_help=catalog.summary(module), epilog=_epilog(name, module))(command(name, module))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others answer
            app.command(name, short_help=_unloadable(error))(_nothing)
    return app


def _unloadable(error: Exception) -> str:
    return f"(cannot be loaded: {fault(error)})"


def _nothing() -> None:
    """It is there to be listed only: the cold path has tried to load it before, and has told why it cannot."""


def _epilog(name: str, module: Any) -> str:
    fields = module.Options.fields
    field = next((field for field in fields if issubclass(field.type, Url)), fields[0])
    needed = [f"{each.flag} {_sample(each)}" for each in fields if each.required and each is not field]
    call = " ".join([f"stetho probe {name} {field.flag} {_sample(field)}", *needed])
    variable = environment_name(name, field.keys[-1])
    by_variable = " ".join([f"{variable}={_sample(field)} stetho probe {name}", *needed])
    return "\n\n".join(
        (
            "\n  ".join(("\b\nExamples:", call, f"{call} --as liveness", by_variable)),
            f"Every option can come from the environment, as {variable} for {field.flag} does; "
            "commas part several values. The command line wins.",
            EXIT_CODES,
        )
    )


def _sample(field: Field) -> str:
    """A value of this option, as its help has one, or as its type is written."""
    plain = "http://HOST:PORT" if field.type is Url else field.metavar
    return shlex.quote(field.help.partition("such as ")[2].rstrip(".") or plain)


def command(name: str, module: Any) -> Callable[..., None]:
    """One probe as a typer command; its parameters are its options."""
    fields = (*module.Options.fields, *RunOptions.fields)

    def ask(**values: Any) -> None:
        given = {field.keys[-1]: text for field in fields if (text := _text(values[field.attribute])) is not None}
        try:
            code = cold.answer(name, module, given)
        except OptionErrors as errors:
            by_name = {key: field for field in fields for key in field.keys}
            said = [f"{_spelt(by_name[error.option], name, given)} {error}" for error in errors.errors]
            hint = f"Try 'stetho probe {name} --help' for help."
            raise typer.TyperException("\n".join([*said, hint])) from None
        raise typer.Exit(code)

    parameters = [_parameter(field) for field in fields]
    ask.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    ask.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    ask.__doc__ = inspect.cleandoc(module.__doc__ or "")
    return ask


def _spelt(field: Field, probe: str, given: Given) -> str:
    """The option as whoever gave it wrote it: on the command line or in the environment."""
    variables = [environment_name(prefix, key) for prefix in (probe, "") for key in field.keys]
    if any(key in given for key in field.keys):
        return field.flag
    return next((variable for variable in variables if os.environ.get(variable)), field.flag)


def _parameter(field: Field) -> inspect.Parameter:
    names = [field.flag, f"--no-{field.name.replace('_', '-')}"] if field.type is bool else [field.flag]
    annotation = list[str] | None if field.many else bool | None if field.type is bool else str | None
    default = typer.Option(
        None,
        "/".join(names),
        help=f"{field.help}{_default(field)}",
        metavar=field.metavar or None,
        show_default=False,
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
        try:
            told = catalog.summary(catalog.load(name))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are listed
            told = _unloadable(error)
        typer.echo(f"{name:<{width}}  {told}")


def run_app(app: typer.Typer, argv: Sequence[str]) -> int:
    """The exit code of a command line; a mistake in the call is 64, or 3 in Nagios' style, whatever was asked."""
    app.rich_markup_mode = None  # plain help can be searched and piped, and takes a `[` as it is
    try:
        if list(argv) == ["--version"]:
            typer.echo(f"stetho {__version__}")
            return 0
        code = app(args=list(argv), prog_name="stetho", standalone_mode=False)
    except typer.TyperException as error:
        said = io.StringIO()
        if show := getattr(error, "show", None):
            show(said)
        tell(said.getvalue().rstrip("\n") or f"Error: {error}")
        return usage_code(argv)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        cold.unread()
        return 0
    except SystemExit:  # which typer makes of that, be it stdout that nobody reads or stderr
        return 0 if _unread(1) else 1
    except Exception as error:  # noqa: BLE001 - a traceback helps nobody at 3 a.m., and may quote a secret
        return last_words(error, argv)
    return int(code or 0)


def _unread(output: int) -> bool:
    """Whether nobody reads this output any more."""
    watch = select.poll()
    watch.register(output, 0)
    return bool(watch.poll(0))


def usage_code(argv: Sequence[str]) -> int:
    """64, or Nagios' UNKNOWN where `--exit-style nagios` asks for it; argv may be wrong in any other way."""
    style = os.environ.get("STETHO_EXIT_STYLE", "")
    for word, following in zip(argv, [*argv, ""][1:], strict=True):
        if word == "--exit-style":
            style = following
        elif word.startswith("--exit-style="):
            style = word.partition("=")[2]
    return 3 if style == "nagios" else USAGE
