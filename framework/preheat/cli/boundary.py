"""Where every exception of a command ends: a message, the line to paste, and an exit code.

0    done
1    failed
2    wrong use, or (with --exit-code) would change
130  interrupted
143  ended by SIGTERM
"""

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile

import click

from preheat.cli.entry import exit_code
from preheat.cli.render import Screen
from preheat.cli.tools import Tools
from preheat.errors import PreheatError

DONE, FAILED, WRONG_USE = 0, 1, 2
JSON = "--json"


class Interrupted(Exception):
    """The user pressed Ctrl-C, or SIGTERM came; the message says what remains."""


@contextmanager
def interruptible(remains: Callable[[], str]) -> Iterator[None]:
    """Say what `remains` when the user interrupts the block."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise Interrupted(remains()) from interrupt


def run(command: click.Command, args: Sequence[str], *, program: str, tools: Tools) -> int:
    """Run `command` and return its exit code.

    Nothing escapes but click's own exits: after a completion request, and with 1 when the reader of
    our output went away.
    """
    screen = tools.screen
    screen.json = JSON in takewhile(lambda arg: arg != "--", args)  # read here: wrong use is told as JSON too
    try:
        result = command.main(list(args), prog_name=program, standalone_mode=False, obj=tools)
        return result if isinstance(result, int) else DONE
    except PreheatError as error:
        _trace(screen)
        screen.error(error)
        return FAILED
    except click.UsageError as error:
        screen.error(_usage(error))
        return WRONG_USE
    except click.ClickException as error:
        screen.error(PreheatError(error.format_message()))
        return error.exit_code
    except Interrupted as interrupted:
        screen.say(f"Interrupted. {interrupted}")
        return exit_code(interrupted.__cause__)
    except (click.Abort, KeyboardInterrupt) as interrupt:
        screen.say("Interrupted.")
        return exit_code(interrupt.__cause__ or interrupt)
    except Exception as error:  # noqa: BLE001 - the command line's boundary: no traceback unless asked for
        _trace(screen)
        screen.error(_unexpected(error, screen))
        return FAILED


def _usage(error: click.UsageError) -> PreheatError:
    path = error.ctx.command_path if error.ctx else "preheat"
    return PreheatError(error.format_message(), hint=f"{path} --help")


def _unexpected(error: Exception, screen: Screen) -> PreheatError:
    message = f"Preheat failed in a way it did not expect: {type(error).__name__}: {error}"
    return PreheatError(
        message, hint=None if screen.debug else "for the traceback: PREHEAT_DEBUG=1 and the same command"
    )


def _trace(screen: Screen) -> None:
    if screen.debug:
        screen.say("".join(traceback.format_exception(*sys.exc_info())).rstrip())
