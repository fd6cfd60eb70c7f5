#!/usr/bin/env python3
"""Builds the tests in several ways, runs them all, and ends with "N passed, N failed".

usage: tools/test.py [ROOM or ROOM/TEST ...]

Each test program speaks TAP; what is counted is each single case, in each build.  A program that
dies, or ends before its plan is complete, counts as one failed case more.
"""
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = str(min(2, os.cpu_count() or 1))

# name, environment, meson options, suites (None: all)
BUILDS = [
    ("gcc", {"CC": "gcc", "CXX": "g++"}, ["-Dwerror=true"], None),
    ("gcc-asan", {"CC": "gcc", "CXX": "g++"},
     ["-Dwerror=true", "-Db_sanitize=address,undefined"], ["unit"]),
    ("clang-asan", {"CC": "clang", "CXX": "clang++"},
     ["-Dwerror=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"], ["unit"]),
]
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
FUZZ_SECONDS = 4  # each entry, over its seeds


def say(text):
    print(text, flush=True)


def run(args, env=None, **kw):
    return subprocess.run(args, env={**os.environ, **(env or {})}, cwd=ROOT, **kw)


def build(folder, env, options):
    path = os.path.join(ROOT, folder)
    if not os.path.exists(os.path.join(path, "build.ninja")):
        r = run(["meson", "setup", folder] + options, env, capture_output=True, text=True)
        if r.returncode:
            say(r.stdout + r.stderr)
            return False
    r = run(["ninja", "-j", JOBS, "-C", folder], env, capture_output=True, text=True)
    if r.returncode:
        say("\n".join(r.stdout.splitlines()[-60:]))
    return r.returncode == 0


def tally(folder, wanted, suites):
    """Runs the tests of one build; returns (passed, failed, skipped, lines about failures)."""
    args = ["meson", "test", "-C", folder, "--no-rebuild", "--num-processes", JOBS,
            "--timeout-multiplier", "1"]
    for s in suites or []:
        args += ["--suite", s]
    args += wanted
    log = os.path.join(ROOT, folder, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    run(args, SANITIZERS, capture_output=True, text=True)
    if not os.path.exists(log):
        return 0, 0, 0, []
    passed = failed = skipped = 0
    about = []
    for line in open(log, encoding="utf-8", errors="replace"):
        t = json.loads(line)
        out = t.get("stdout") or ""
        ok = len(re.findall(r"^ok \d+(?! .*# SKIP)", out, re.M))
        skip = len(re.findall(r"^ok \d+ .*# SKIP", out, re.M))
        bad = re.findall(r"^not ok \d+.*", out, re.M)
        passed += ok
        skipped += skip
        failed += len(bad)
        if bad or t["result"] not in ("OK", "SKIP"):
            if not bad:
                failed += 1
            about.append("FAILED %s (%s, %s)\n%s" % (
                t["name"], folder, t["result"],
                "\n".join((out + "\n" + (t.get("stderr") or "")).splitlines()[-60:])))
        elif not ok and not skip:
            passed += 1
        why = re.findall(r"^(?:ok \d+ .*# SKIP.*|# skip.*)", out, re.M)
        if why:
            about.append("skipped: %s: %s%s" % (
                t["name"], re.sub(r"^#? ?(skipped: )?", "", why[0]),
                " (and %d more)" % (len(why) - 1) if len(why) > 1 else ""))
    return passed, failed, skipped, about


def fuzz():
    """Runs each fuzz entry briefly over its seeds."""
    folder = "build-fuzz"
    env = {"CC": "clang", "CXX": "clang++"}
    if not build(folder, env, ["-Dtests=false", "-Dfuzz=true", "-Db_lundef=false",
                               "-Db_sanitize=address,undefined"]):
        return 0, 1, ["FAILED build of the fuzz entries"]
    r = run([sys.executable, "tools/fuzz.py", folder, "--each", str(FUZZ_SECONDS)],
            SANITIZERS, capture_output=True, text=True)
    passed = len(re.findall(r"^ok ", r.stdout, re.M))
    failed = len(re.findall(r"^not ok ", r.stdout, re.M))
    if r.returncode and not failed:
        failed = 1
    about = ["FAILED fuzz\n" + r.stdout[-6000:] + r.stderr[-2000:]] if failed else []
    return passed, failed, about


def main():
    wanted = sys.argv[1:]
    total = [0, 0, 0]
    began = time.monotonic()
    for name, env, options, suites in BUILDS:
        folder = "build-test-" + name
        t0 = time.monotonic()
        if not build(folder, env, options):
            total[1] += 1
            say("FAILED build %s" % name)
            continue
        t1 = time.monotonic()
        p, f, s, about = tally(folder, wanted, suites)
        total = [total[0] + p, total[1] + f, total[2] + s]
        say("%-12s %5d passed %4d failed %3d skipped   (build %.0f s, tests %.0f s)" %
            (name, p, f, s, t1 - t0, time.monotonic() - t1))
        for a in sorted(set(about)):
            say(a)
    if not wanted:
        t0 = time.monotonic()
        p, f, about = fuzz()
        total = [total[0] + p, total[1] + f, total[2]]
        say("%-12s %5d passed %4d failed               (%.0f s)" %
            ("fuzz", p, f, time.monotonic() - t0))
        for a in about:
            say(a)
    say("%.0f s in all" % (time.monotonic() - began))
    say("%d passed, %d failed%s" % (total[0], total[1],
                                    ", %d skipped" % total[2] if total[2] else ""))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
