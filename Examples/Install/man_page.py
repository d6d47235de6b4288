#!/usr/bin/env python3
"""Writes a manual page (mdoc) from the help of a program: train-sft --experimental-dump-help | man_page.py > train-sft.1

The plug-in of the argument parser can also do this, but it builds all programs a second time.
"""
import json
import sys


def escaped(text):
    """The text with all mdoc macros and escapes quoted."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(("\\&" + line if line[:1] in ".'" else line) for line in text.split("\n"))


def flags(argument):
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])]
    return ", ".join(names) + ("" if argument["kind"] == "flag" else " " + argument.get("valueName", "value"))


def discussion(text):
    """Formats paragraphs and indented examples."""
    lines = []
    for block in text.split("\n\n"):
        if block.startswith("  "):
            lines += [".Bd -literal -offset indent", escaped(block), ".Ed"]
        elif block.strip():
            lines += [".Pp", escaped(" ".join(block.split()))]
    return lines


def command(info, names):
    lines = []
    section = None
    for argument in info.get("arguments", []):
        if not argument.get("shouldDisplay", True):
            continue
        title = argument.get("sectionTitle") or "Other options"
        if title != section:
            lines += ([".El"] if section else []) + [f".Ss {escaped(title)}", ".Bl -tag -width indent"]
            section = title
        text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
        if argument.get("defaultValue") is not None:
            text += f" The default is {argument['defaultValue']}."
        lines += [f".It {escaped(flags(argument))}", escaped(" ".join(text.split()))]
    lines += [".El"] if section else []
    for other in info.get("subcommands", []):
        if other["commandName"] == "help":
            continue
        path = names + [other["commandName"]]
        lines += [f".Sh {escaped(' '.join(path)).upper()}", escaped(other.get("abstract", ""))]
        lines += discussion(other.get("discussion", "")) + command(other, path)
    return lines


def page(info):
    name = info["commandName"]
    summary = info.get("abstract", "").rstrip(".")
    lines = [".Dd $Mdocdate$", f".Dt {name.upper()} 1", ".Os swift-rlhf", ".Sh NAME", f".Nm {name}", f".Nd {escaped(summary)}"]
    lines += [".Sh SYNOPSIS", ".Nm", ".Ar command" if any(other["commandName"] != "help" for other in info.get("subcommands", [])) else "", ".Op Ar options", ".Sh DESCRIPTION"]
    lines += discussion(info.get("discussion", "")) or [escaped(summary)]
    lines += [".Sh OPTIONS"] + command(info, [name])
    lines += [".Sh EXIT STATUS", ".Bl -tag -width indent"]
    for status, meaning in [
        (0, "Done."), (64, "The command line or a configuration file is wrong."), (65, "The content of a file is wrong."),
        (66, "A required file is missing."), (70, "A defect of the program."), (73, "An output cannot be created."),
        (74, "Reading or writing failed."), (75, "Not finished: run the same command again to resume."),
    ]:
        lines += [f".It {status}", meaning]
    return "\n".join(line for line in lines + [".El"] if line) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin)["command"]))
