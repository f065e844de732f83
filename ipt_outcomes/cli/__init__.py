"""The command line: ``ipt-outcomes``. Thin; what is heavy is imported inside the commands."""

from __future__ import annotations

import sys

import click

from ipt_outcomes import __version__
from ipt_outcomes.errors import IptError, OptionError

EXIT_REFUSED = 1
EXIT_USAGE = 2


class _Group(click.Group):
    """Turns the package's errors into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except IptError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(EXIT_USAGE if isinstance(error, OptionError) else EXIT_REFUSED)
        except BrokenPipeError:
            # The reader of our output went away (a pager closed): nothing more to say, nothing lost.
            sys.stderr.close()
            sys.exit(0)
        except MemoryError:
            click.echo("Error: out of memory. The file may be damaged, or too large for this machine.", err=True)
            sys.exit(EXIT_REFUSED)
        except OSError as error:
            click.echo(f"Error: {error.strerror or 'the system refused a file operation'}", err=True)
            sys.exit(EXIT_REFUSED)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 the data were refused (the reason is printed, nothing is written); 2 wrong usage.",
)
@click.version_option(__version__, prog_name="ipt-outcomes")
def main() -> None:
    """Outcomes of interpersonal psychotherapy: from your data to a report you can defend.

    \b
    ipt-outcomes demo                 three example reports on simulated data
    ipt-outcomes map data.csv         which column is what? A proposal to correct
    ipt-outcomes check data.csv       is the file valid, and what looks wrong in it?
    ipt-outcomes trial patients.csv   one trial: change, effect sizes, responders, problem areas
    ipt-outcomes clinic extract.csv   a clinic: recovery, reliable improvement, response, remission
    ipt-outcomes meta studies.csv     effect sizes, meta-analysis and report
    """  # noqa: D301  (\b is click's mark for a block it must not reflow)


from ipt_outcomes.cli import data, instruments, mapping, patients, reports, trace  # noqa: E402  (the commands need `main`)

main.add_command(reports.demo)
main.add_command(patients.trial)
main.add_command(patients.clinic)
main.add_command(reports.meta)
main.add_command(reports.render)
main.add_command(reports.verify)
main.add_command(trace.trace)
main.add_command(mapping.map_command)
main.add_command(data.check)
main.add_command(data.schema)
main.add_command(instruments.instruments)
