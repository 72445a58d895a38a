"""The command ``wbme``. A command file imports what it needs only when its command runs."""

import sys

import typer

from wbme.base.errors import WbmeError


def application() -> typer.Typer:
    """The command with all its families."""
    from wbme.cli import (
        assets,
        doctor,
        explore,
        init,
        report,
        run,
        schedule,
        store,
        stylize,
        sweep,
        sync,
        trace,
    )

    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Turn pictures and video of people into webtoon style: a research workbench.",
    )
    app.command()(run.run)
    app.command()(explore.explore)
    app.command()(sync.sync)
    app.command()(sweep.sweep)
    app.command()(sweep.compare)
    app.command()(stylize.stylize)
    app.command()(trace.trace)
    app.command()(report.report)
    app.command()(doctor.doctor)
    app.command()(init.init)
    app.add_typer(assets.app, name="assets")
    app.add_typer(store.app, name="store")
    app.add_typer(schedule.app, name="schedule")
    return app


def joined(words: list[str]) -> list[str]:
    """``-p KEY VALUE`` as ``-p KEY=VALUE``: papermill's habit is three words, typer takes two."""
    rest = iter(words)
    done = []
    for word in rest:
        done.append(word)
        if word in ("-p", "--parameter"):
            key = next(rest, None)
            value = next(rest, None) if key is not None and "=" not in key else None
            done += [] if key is None else [key if value is None else f"{key}={value}"]
    return done


def main() -> None:
    """Entry point: an error of ours is one sentence and exit code 2, never a traceback."""
    try:
        application()(args=joined(sys.argv[1:]))
    except WbmeError as error:
        sys.stdout.flush()
        typer.echo(f"wbme: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        typer.echo(f"wbme: the system refuses{place}: {error.strerror}; free it, or set WBME_HOME", err=True)
        sys.exit(2)
