#!/usr/bin/env python3
"""Checks what compiles seccomp profiles against the verdicts in this directory.

usage: reader.py PARAGRAPHS COMPILER..., for example: reader.py all seccompile,
or reader.py 3,4.1 seccompile for section 3 and paragraph 4.1 alone.

For another compiler, change the two functions compile and verdict. Here the first one runs
a command that writes a filter as the kernel takes it, and the second one runs the filter.
"""
import json, os, struct, subprocess, sys, tempfile

DIR = os.path.dirname(os.path.abspath(__file__))
BIG = {f[0] for f in (l.split("\t") for l in open(DIR + "/abis.tsv")) if f[3:4] == ["big"]}
ACTIONS = {"KILL_PROCESS": 0x80000000, "KILL_THREAD": 0, "TRAP": 0x30000, "ERRNO": 0x50000,
           "NOTIFY": 0x7fc00000, "TRACE": 0x7ff00000, "LOG": 0x7ffc0000, "ALLOW": 0x7fff0000}


def compile(profile, reading, options, targets):
    """Returns the filter for a profile, or None if the profile is refused."""
    command = sys.argv[2:] + ["compile", "-q", "-f", "raw", "--compat", reading]
    command += ["--" + o for o in options] + (["-a", targets] if targets != "-" else [])
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(profile)
        file.flush()
        done = subprocess.run(command + [file.name], capture_output=True)
    if done.returncode > 1:  # of seccompile, 1 is a refusal
        sys.exit(done.stderr.decode())
    order = ">" if targets.split(",")[0] in BIG else "<"
    return None if done.returncode else (order, list(struct.iter_unpack(order + "HBBI", done.stdout)))


def verdict(filter, arch, number, arguments):
    """Returns the word that the filter returns for a call."""
    order, program = filter
    data = struct.pack(order + "IIQ6Q", number, arch, 0, *arguments)
    pc = a = x = 0
    memory = [0] * 16
    while True:
        code, yes, no, k = program[pc]
        pc += 1
        kind, operand = code & 7, x if code & 8 else k
        if kind == 6:  # ret
            return a if code & 0x18 == 0x10 else k
        if kind < 2:  # ld, ldx
            value = {0x20: lambda: struct.unpack_from(order + "I", data, k)[0], 0x60: lambda: memory[k]}.get(code & 0xe0, lambda: k)()
            a, x = (value, x) if kind == 0 else (a, value)
        elif kind < 4:  # st, stx
            memory[k] = (a, x)[kind - 2]
        elif kind == 4:  # alu
            shift, divisor = operand & 31, operand or 1  # each of these is computed, and one is taken
            a = [a + operand, a - operand, a * operand, a // divisor, a | operand, a & operand, a << shift, a >> shift,
                 -a, a % divisor, a ^ operand][code >> 4] & 0xffffffff
        elif kind == 5:  # jmp
            pc += k if code == 5 else yes if [0, a == operand, a > operand, a >= operand, a & operand][code >> 4] else no
        else:  # tax, txa
            a, x = (x, x) if code & 0x80 else (a, a)


def rows(file):
    lines = (line.rstrip("\n").split("\t") for line in open(f"{DIR}/{file}") if line[0] != "#")
    return (row for row in lines if {"all", row[0], row[0].split(".")[0]} & set(sys.argv[1].split(",")))


def word(text):
    name, _, data = text.rstrip(")").partition("(")
    return None if name == "REFUSED" else ACTIONS[name] | int(data or 0)


filters, wrong, count = {}, 0, 0


def check(row, profile, reading, options, targets, call, want):
    """Checks one verdict; call is the AUDIT_ARCH value, the number and the arguments."""
    global wrong, count
    key = profile, reading, options, targets
    if key not in filters:
        text = open(f"{DIR}/profiles/{profile}.json", "rb").read()
        if targets != "-":
            text = json.dumps(dict(json.loads(text), architectures=["SCMP_ARCH_" + t.upper() for t in targets.split(",")])).encode()
        filters[key] = compile(text, reading, options.split() if options != "-" else [], targets)
    got = filters[key]
    if got and call[0] != "-":
        numbers = [int(s, 0) for s in call[2].split(",")] if call[2] != "-" else []
        got = verdict(got, int(call[0], 0), int(call[1], 0), numbers + [0] * (6 - len(numbers)))
    count += 1
    if got != word(want):
        wrong += 1
        print(*row, f"got {got if got is None else hex(got)}")


for row in rows("verdicts.tsv"):
    check(row, *row[1:5], row[6:9], row[9])
for row in rows("pairs.tsv"):  # checks their parts alone: a filter is one profile's
    for name, want in zip(row[3:5], row[10:12]):
        check(row, name, "runc", "-", row[5], row[7:10], want)
print(f"{count - wrong} of {count} verdicts agree")
sys.exit(wrong > 0)
