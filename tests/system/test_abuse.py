"""Clients that are slow, many, endless or rude: the others are served on."""
import http.client
import json
import random
import resource
import socket
import ssl
import sys
import time

from node import SEED, Node, Tap, check, equal, indicator

IDLE = 5000


class Abuse:
    def __init__(self):
        self.n = Node()
        self.n.run("config", "connections", "6000")
        self.rng = random.Random(SEED)
        self.n.load([indicator(self.rng) for _ in range(50)])
        self.n.user("u", "--role", "publisher")
        self.token = self.n.token("t", "--user", "u", "--scope", "read,write")
        self.n.start()
        self.collection = self.n.collections(self.token)[0]["id"]

    def raw(self, tls=True):
        s = socket.create_connection(("127.0.0.1", self.n.port), 10)
        if not tls:
            return s
        c = ssl.create_default_context()
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
        return c.wrap_socket(s)

    def served(self):
        t = time.monotonic()
        a = self.n.objects(self.token, self.collection, "?limit=10")
        equal(a.status, 200)
        equal(len(a.json()["objects"]), 10)
        check(time.monotonic() - t < 5, "served, but slowly")

    def idle(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        want = IDLE + 200
        if hard != resource.RLIM_INFINITY and hard < want:
            return "SKIP: only %d descriptors may be open here" % hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
        held = []
        try:
            for i in range(IDLE):
                held.append(socket.create_connection(("127.0.0.1", self.n.port), 10))
                if i % 1000 == 0:
                    self.served()
            self.served()
        finally:
            for s in held:
                s.close()
        return "%d idle connections" % len(held)

    def slow_header(self):
        s = self.raw()
        for c in b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nX-A: ":
            s.send(bytes([c]))
        self.served()
        s.close()

    def big_header(self):
        s = self.raw()
        try:
            s.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\n")
            for _ in range(1100):
                s.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")
            s.sendall(b"\r\n")
            answer = s.recv(4000)
            check(answer == b"" or b" 431 " in answer or b" 413 " in answer or b" 414 " in answer,
                  repr(answer[:80]))
        except (ConnectionError, ssl.SSLError):
            pass  # closed in the middle: as good
        self.served()

    def endless_body(self):
        c = self.n.connect()
        c.putrequest("POST", "/taxii2/root/collections/%s/objects/" % self.collection)
        c.putheader("Authorization", "Bearer " + self.token)
        c.putheader("Content-Type", "application/taxii+json;version=2.1")
        c.putheader("Transfer-Encoding", "chunked")
        c.endheaders()
        try:
            c.send(b"e\r\n{\"objects\":[ \"\r\n")
            for i in range(300):
                c.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                if i % 100 == 0:
                    self.served()
        except (ConnectionError, ssl.SSLError):
            pass
        self.served()
        c.close()

    def smuggling(self):
        for headers in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                        b"Content-Length: 5\r\nContent-Length: 6\r\n"):
            s = self.raw()
            s.sendall(b"POST /taxii2/root/collections/all/objects/ HTTP/1.1\r\nHost: x\r\n" +
                      headers + b"\r\n0\r\n\r\n")
            a = s.recv(4000)
            check(a == b"" or a.split()[1][:1] == b"4", repr(a[:80]))
            s.close()

    def all_of(self, text):
        """What comes back until the server closes."""
        s = self.raw()
        got = b""
        try:
            s.sendall(text)
            while True:
                piece = s.recv(4000)
                if not piece:
                    break
                got += piece
        except (ConnectionError, ssl.SSLError):
            pass  # closed in the middle of what was sent
        s.close()
        return got

    def refusals(self):
        get = b"GET /taxii2/ HTTP/1.1\r\n"
        post = ("POST /taxii2/root/collections/%s/objects/ HTTP/1.1\r\nHost: x\r\nAuthorization: "
                "Bearer %s\r\nContent-Type: application/taxii+json;version=2.1\r\n"
                % (self.collection, self.token)).encode()
        host, end = b"Host: x\r\n", b"\r\n"
        chunked = b"Transfer-Encoding: chunked\r\n\r\n"
        for status, text in (  # as TAXII has it
                (400, get + end),
                (400, get + host + host + end),
                (400, get + host + b"A : b\r\n\r\n"),
                (400, get + host + b"A: b\r\n c\r\n\r\n"),
                (400, get + host + b"A: b\0c\r\n\r\n"),
                (400, b"GET /taxii2/ x HTTP/1.1\r\n" + host + end),
                (400, post + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
                (400, post + b"Content-Length: 3\r\n" + chunked),
                (501, post + b"Transfer-Encoding: gzip\r\n\r\n"),
                (505, b"GET /taxii2/ HTTP/1.2\r\n" + host + end),
                (431, get + host + b"A: b\r\n" * 100 + end),
                (431, get + host + b"A: " + b"b" * 11300 + end + end),
                (414, b"GET /taxii2/" + b"b" * 11300 + b" HTTP/1.1\r\n" + host + end)):
            a = self.all_of(text)
            head, _, body = a.partition(b"\r\n\r\n")
            equal(head.split()[1], b"%d" % status, text[:80])
            check(b"\r\nContent-Type: application/taxii+json" in head, repr(text[:80]))
            j = json.loads(body)
            equal(j["http_status"], str(status))
            check(j["title"])
        for status, text in (  # no request at all: the library's, of which the page is not sent
                (400, b"GET /taxii2/\r\n\r\n"),
                (400, get + host + b"nonsense\r\n\r\n"),
                (505, b"GET /taxii2/ HTTP/2.0\r\n" + host + end),
                (400, post + chunked + b"zz\r\n"),
                (413, post + chunked + b"99999999999999999\r\n"),
                (414, b"GET /taxii2/" + b"b" * 15000 + b" HTTP/1.1\r\n"),
                (431, get + b"A: " + b"b" * 15000),
                (0, b"nonsense\r\n\r\n"),
                (0, post + b"Content-Length: x\r\n\r\n")):
            a = self.all_of(text)
            check(b"<" not in a, repr(a))
            equal(int(a.split()[1]) if a else 0, status, text[:80])
        self.served()

    def garbage(self):
        for junk in (b"\x00" * 100, b"\x16\x03\x01" + b"\xff" * 500, b"GET / HTTP/1.1\r\n\r\n"):
            s = self.raw(tls=False)
            try:
                s.sendall(junk)
                s.settimeout(5)
                s.recv(100)
            except OSError:
                pass
            s.close()
        self.served()

    def gone_in_the_middle(self):
        for i in range(40):
            c = self.n.connect()
            c.putrequest("POST", "/taxii2/root/collections/%s/objects/" % self.collection)
            c.putheader("Authorization", "Bearer " + self.token)
            c.putheader("Content-Type", "application/taxii+json;version=2.1")
            c.putheader("Content-Length", "100000")
            c.endheaders()
            c.send(b'{"objects":[' + b" " * self.rng.randrange(2000))
            c.sock.close()
        self.served()


def main():
    t = Tap()
    a = Abuse()
    try:
        for name in ("served", "slow_header", "big_header", "endless_body", "smuggling", "refusals",
                     "garbage", "gone_in_the_middle", "idle"):
            t.test(name.replace("_", " "), getattr(a, name))
        t.test("an orderly end", lambda: equal(a.n.stop(), 0))
    finally:
        if t.bad:
            print("# " + a.n.tail().replace("\n", "\n# "))
        a.n.clean()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
