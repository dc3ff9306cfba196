"""Commands about the program itself: methods, info, doctor."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import recon
from recon.method import Method


def methods(arguments: Sequence[str]) -> int:
    """`isokiln methods`."""
    parser = argparse.ArgumentParser(prog="isokiln methods", description="List the methods.")
    parser.add_argument("--json", action="store_true", help="with the schema of their settings")
    options = parser.parse_args(arguments)
    if options.json:
        print(json.dumps([_as_json(method) for method in recon.METHODS]))
        return 0
    for method in recon.METHODS:
        paper = f" ({method.paper})" if method.paper else ""
        print(f"{method.id:14} {method.title}{paper}\n{'':14} {method.summary}")
    print("\n`isokiln run METHOD --help` lists a method's settings.")
    return 0


def _as_json(method: Method) -> dict[str, Any]:
    return {
        "id": method.id,
        "title": method.title,
        "summary": method.summary,
        "paper": method.paper,
        "inputs": [vars(slot) for slot in method.inputs],
        "presets": {name: dict(values) for name, values in method.presets.items()},
        "default_preset": method.default_preset,
        "settings": method.settings.model_json_schema(),
    }


def info(arguments: Sequence[str]) -> int:
    """`isokiln info`, or `isokiln info FILE`."""
    from app.system_info import describe_system

    parser = argparse.ArgumentParser(
        prog="isokiln info",
        description="Versions and hardware, for a report; or what is in a file or folder.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a file, or a folder such as a scene's"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    if options.file is not None:
        from app.cli_files import tell_facts

        tell_facts(options.file, as_json=options.json)
        return 0
    facts = describe_system()
    print(
        json.dumps(facts)
        if options.json
        else "\n".join(f"{name:22} {value}" for name, value in facts.items())
    )
    return 0


def doctor(arguments: Sequence[str]) -> int:
    """`isokiln doctor`: exit status 1 where something needed is missing."""
    from app.doctor import checks

    parser = argparse.ArgumentParser(
        prog="isokiln doctor",
        description="Check that everything needed is here. Exit status 1 where something needed is missing.",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    findings = []
    for finding in checks():
        findings.append(finding)
        if not options.json:
            print(f"{finding.level:5} {finding.subject}: {finding.text}", flush=True)
            if finding.advice:
                print(f"      {finding.advice}", flush=True)
    if options.json:
        print(json.dumps([vars(finding) for finding in findings]))
    return 1 if any(finding.level == "fail" for finding in findings) else 0
