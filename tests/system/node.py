"""A real node for whole-system tests: started, spoken to and killed from outside.

Only Python's own library is used.  Each test file prints TAP.  Random choices come from a seed that
is printed and can be given back in JAGA_SEED.
"""
import base64
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid

JAGA = os.environ.get("JAGA", "build/jaga")
SEED = int(os.environ.get("JAGA_SEED") or random.SystemRandom().randrange(1 << 32))
TAXII = "application/taxii+json;version=2.1"
TLP = {
    "CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %r" % (self.status, self.body[:200])


class Node:
    """One data folder and, while it serves, one family of processes."""

    def __init__(self, name="Test CERT", country="TH"):
        self.top = tempfile.mkdtemp(prefix="jaga-test-")
        self.dir = os.path.join(self.top, "node")
        self.port = free_port()
        self.process = None
        self.log = os.path.join(self.top, "log")
        self.run("init", "--name", name, "--country", country,
                 "--listen", "127.0.0.1:%d" % self.port)

    # -- the command line

    def command(self, *args, stdin=None, timeout=120):
        r = subprocess.run([JAGA, "-C", self.dir, *args], input=stdin, capture_output=True,
                           timeout=timeout)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def run(self, *args, stdin=None, ok=(0,), timeout=120):
        code, out, err = self.command(*args, stdin=stdin, timeout=timeout)
        if code not in ok:
            raise Failed("jaga %s: exit %d\n%s%s" % (" ".join(args), code, out, err))
        return out

    def json(self, *args, **kw):
        return json.loads(self.run("--json", *args, **kw))

    def user(self, name, *args):
        return self.json("user", "add", name, *args)["password"]

    def token(self, name, *args):
        return self.json("token", "add", name, *args)["token"]

    def load(self, objects, *args, ok=(0,)):
        text = json.dumps({"type": "bundle", "id": "bundle--" + str(uuid.uuid4()),
                           "objects": objects}).encode()
        return json.loads(self.run("--json", "import", "-", *args, stdin=text, ok=ok))

    # -- serving

    def start(self, wait=60):
        self.process = subprocess.Popen([JAGA, "-C", self.dir, "serve"], stdout=subprocess.PIPE,
                                        stderr=open(self.log, "ab"))
        line = self.process.stdout.readline().decode()
        if "ready" not in line:
            raise Failed("did not become ready: %r\n%s" % (line, self.tail()))
        return line

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(30)
            self.process.stdout.close()
            self.process = None
            return code
        return 0

    def tail(self, n=2000):
        try:
            return open(self.log, errors="replace").read()[-n:]
        except OSError:
            return ""

    def children(self):
        """{"writer": pid, "reader": [pid, pid], ...} by the names that the processes give themselves."""
        found = {}
        for pid in os.listdir("/proc"):
            if not pid.isdigit():
                continue
            try:
                stat = open("/proc/%s/stat" % pid).read()
            except OSError:
                continue
            name = stat[stat.index("(") + 1:stat.rindex(")")]
            parent = int(stat[stat.rindex(")") + 2:].split()[1])
            if self.process and parent == self.process.pid and name.startswith("jaga "):
                found.setdefault(name[5:], []).append(int(pid))
        return found

    def kill_all(self):
        kids = [p for pids in self.children().values() for p in pids]
        self.process.kill()
        for p in kids:
            try:
                os.kill(p, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def clean(self):
        try:
            if self.process:
                self.stop()
        finally:
            shutil.rmtree(self.top, ignore_errors=True)

    # -- the network

    def connect(self, timeout=30):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.load_verify_locations(os.path.join(self.dir, "tls", "cert.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                           context=context)

    def http(self, method, path, login=None, body=None, headers=None, connection=None,
             accept=TAXII):
        h = {}
        if accept:
            h["Accept"] = accept
        if isinstance(login, tuple):
            pair = ("%s:%s" % login).encode()
            h["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        elif login:
            h["Authorization"] = "Bearer " + login
        if body is not None:
            h["Content-Type"] = TAXII
        h.update(headers or {})
        c = connection or self.connect()
        try:
            c.request(method, path, body=body, headers=h)
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            if not connection:
                c.close()

    def collections(self, login):
        return self.http("GET", "/taxii2/root/collections/", login).json().get("collections", [])

    def objects(self, login, collection, query="", connection=None):
        return self.http("GET", "/taxii2/root/collections/%s/objects/%s" % (collection, query),
                         login, connection=connection)

    def post(self, login, collection, objects):
        return self.http("POST", "/taxii2/root/collections/%s/objects/" % collection, login,
                         body=json.dumps({"objects": objects}).encode())

    def walk(self, login, collection, limit=100, extra=""):
        """Every object of a collection, page by page."""
        c = self.connect()
        found, query = [], "?limit=%d%s" % (limit, extra)
        while True:
            page = self.objects(login, collection, query, c)
            if page.status != 200:
                raise Failed("page: %r" % page)
            j = page.json()
            found += j.get("objects", [])
            if not j.get("more"):
                c.close()
                return found
            query = "?limit=%d&next=%s" % (limit, j["next"])


def indicator(rng, label="GREEN", name=None, when="2026-03-01T00:00:00.000Z", **more):
    o = {
        "type": "indicator", "spec_version": "2.1",
        "id": "indicator--" + str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "created": when, "modified": when,
        "name": name or "indicator %d" % rng.randrange(1 << 30),
        "indicator_types": ["malicious-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.%d']" % rng.randrange(256),
        "pattern_type": "stix", "valid_from": "2026-03-01T00:00:00Z",
    }
    if label:
        o["object_marking_refs"] = [TLP[label]]
    o.update(more)
    return o


class Tap:
    """Runs named functions and prints TAP."""

    def __init__(self):
        print("# seed %d (JAGA_SEED)" % SEED, flush=True)
        self.n = self.bad = 0

    def test(self, name, fn, *args):
        self.n += 1
        try:
            note = fn(*args)
            print("ok %d - %s%s" % (self.n, name, " # " + note if isinstance(note, str) else ""))
        except Exception as x:  # every failure of a test is told, and the rest goes on
            self.bad += 1
            print("not ok %d - %s" % (self.n, name))
            for line in ("%s: %s" % (type(x).__name__, x)).splitlines():
                print("# " + line)
        sys.stdout.flush()

    def end(self):
        print("1..%d" % self.n)
        return 1 if self.bad else 0


def check(condition, text="check failed"):
    if not condition:
        raise Failed(text)


def equal(got, want, text=""):
    if got != want:
        raise Failed("%s: got %r, want %r" % (text, got, want))


def eventually(fn, seconds=20, text="did not come true"):
    end = time.monotonic() + seconds
    last = ""
    while time.monotonic() < end:
        try:
            r = fn()
            if r:
                return r
        except (OSError, http.client.HTTPException, ValueError, Failed) as x:
            last = ": %s: %s" % (type(x).__name__, x)
        time.sleep(0.05)
    raise Failed(text + last)
