"""``ringscope bench``: what the machine costs on this computer, alone or beside a real QEMU."""

from __future__ import annotations

from pathlib import Path

import click

from ringscope.cli.output import print_json

_WORDS = {
    "tx_no_copy": "transmit, no copy",
    "tx_copy": "transmit, copied to a peer",
    "rx_copy": "receive, copied from a peer",
    "tx_no_copy_full": "transmit, no copy, trace full",
    "tx_copy_full": "transmit, copied, trace full",
    "rx_copy_full": "receive, copied, trace full",
}


@click.command(name="bench")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quick", is_flag=True, help="Fewer rounds.")
@click.option("--against-qemu", is_flag=True, help="Drive a real QEMU, which has to be installed, and our device side by side.")
@click.option("--only", metavar="TEXT", help="With --against-qemu: the cases whose name holds TEXT, such as 'tx packed'.")
@click.option("--markdown", is_flag=True, help="With --against-qemu: print tables in Markdown.")
@click.option(
    "--update",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="With --against-qemu: put the tables into a document such as docs/benchmarks.md, and the JSON beside it.",
)
def command(as_json: bool, quick: bool, against_qemu: bool, only: str | None, markdown: bool, update: Path | None) -> None:
    """Measure the device alone at a batch of 128, driver and device together, and compiled against uncompiled.

    With --against-qemu: ns a packet of a real QEMU's device and of ours in one run, with the same rings, batches and frames.
    """
    if against_qemu:
        from ringscope.cli.bench_qemu import run_against_qemu

        run_against_qemu(quick, only, "json" if as_json else "markdown" if markdown else "text", update)
        return
    for name, given in (("--only", only), ("--markdown", markdown), ("--update", update)):
        if given:
            raise click.UsageError(f"{name}: it needs --against-qemu")
    from ringscope_core.engine.bench import compare

    report = compare(50, 40_000) if quick else compare()
    if as_json:
        print_json(report)
        return
    click.echo(f"{'compiled' if report['compiled'] else 'not compiled'}, load {report['load']}, {report['frame_bytes']} byte frames, batch {report['batch']}")
    cases, speedup = report["ns_per_packet"], report.get("compiled_speedup")
    assert isinstance(cases, dict)
    for name, numbers in cases.items():
        more = f"   {speedup[name]:g} times faster than uncompiled" if isinstance(speedup, dict) else ""
        click.echo(f"  {_WORDS[name]:<32} {numbers['best']:>9.1f} ns best {numbers['median']:>9.1f} ns median{more}")
    totals = report["end_to_end_pps"]
    assert isinstance(totals, dict)
    for name, pps in totals.items():
        click.echo(f"  {name + ' end to end':<32} {pps:>9} packets/s")
    if "note" in report:
        click.echo(f"  {report['note']}")
