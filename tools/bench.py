#!/usr/bin/env python3
"""Measures jaga, each figure beside a limit that is measured in the same run on the same cores.

    tools/bench.py BUILD [--large] [--json] [--fresh] [--reuse] [NAME...]

BUILD is a folder that meson made (./dev bench does).  Stores are built below BUILD/data and used
again while program and generator are the same; what was measured while they were built is then
shown from that run.  --fresh builds and measures anew, --reuse takes the stores of an older
program.  --large adds a store of three million objects.
"""
import argparse
import datetime
import glob
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ['ingest-attack', 'ingest-million', 'page', 'object', 'page-million', 'page-sparse',
         'page-groups', 'lookup', 'idle-memory', 'start']
MILLION = 1000000
SMALL = 10000
FILL = 100000     # objects spread over GROUPS
GROUPS = 300
ANON_MAX = 256    # MiB of any one process while it imports
IDLE_S = 60
ROUNDS = 5        # of everything short; an odd number, for the median
# The prototype's rates, objects a second, from which the bare program's own shall not fall far ...
PROTOTYPE = {0: 26600, MILLION: 20000, 3 * MILLION: 16000}
# ... scaled by how fast the machine inserts plain rows of 980 bytes (bare_ingest --plain) against
# this many a second, the best of ten on such a machine when nothing else ran.
PLAIN_RATE = 290000


def say(text):
    print('bench: ' + text, file=sys.stderr, flush=True)


def median(list_):
    return statistics.median(list_)


def spread(list_):
    return '%.3g to %.3g' % (min(list_), max(list_)) if len(list_) > 1 else ''


class Row:
    """A line of the table.  higher: a larger ratio is better."""

    def __init__(self, name, value, unit, limit, wanted, higher, note='', extra=False):
        self.name, self.value, self.unit, self.limit = name, value, unit, limit
        self.ratio = value / limit if limit else 0
        self.wanted, self.higher, self.note, self.extra = wanted, higher, note, extra

    def ok(self):
        if self.wanted is None:
            return True
        return self.ratio >= self.wanted if self.higher else self.ratio <= self.wanted

    def json(self):
        return json.dumps({'name': self.name, 'value': round(self.value, 4), 'unit': self.unit,
                           'limit': round(self.limit, 4), 'ratio': round(self.ratio, 4)})

    def text(self):
        wanted = '' if self.wanted is None else ('>= ' if self.higher else '<= ') + '%g' % self.wanted
        mark = '' if self.wanted is None else 'ok' if self.ok() else 'MISSED'
        return '%-24s %11s %-10s %11s %7.3f  %-8s %-7s %s' % (
            ('  ' if self.extra else '') + self.name, figure(self.value), self.unit,
            figure(self.limit), self.ratio, wanted, mark, self.note)


def figure(x):
    return '{:,.0f}'.format(x) if x >= 1000 else '%.4g' % x


# -- processes -------------------------------------------------------------------------------------

def family(pid):
    """pid and all that it started."""
    children = {}
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                with open('/proc/%s/stat' % p) as f:
                    parent = int(f.read().rsplit(')', 1)[1].split()[1])
                children.setdefault(parent, []).append(int(p))
            except OSError:
                pass
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        todo += children.get(p, [])
    return found


class Watch(threading.Thread):
    """The most anonymous memory that any one process of a family has, in MiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.stop = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stop.wait(0.2):
            for p in family(self.pid):
                try:
                    with open('/proc/%d/status' % p) as f:
                        for line in f:
                            if line.startswith('RssAnon:'):
                                self.most = max(self.most, int(line.split()[1]) / 1024)
                except OSError:
                    pass

    def end(self):
        self.stop.set()
        self.join()
        return self.most


def proportional(pid):
    """Memory of a family in MiB, shared pages divided among those who share them."""
    total = 0
    for p in family(pid):
        with open('/proc/%d/smaps_rollup' % p) as f:
            total += sum(int(x.split()[1]) for x in f if x.startswith('Pss:'))
    return total / 1024


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


# -- nodes -----------------------------------------------------------------------------------------

class Node:
    def __init__(self, bench, name):
        self.bench, self.folder = bench, os.path.join(bench.data, name)
        self.store = os.path.join(self.folder, 'data', 'store.db')
        self.process = None
        self.port = 0

    def jaga(self, *args):
        done = subprocess.run([self.bench.jaga, '-q', '-C', self.folder] + list(args),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 3):
            raise RuntimeError('jaga %s: %s' % (args[0], done.stderr.strip()))
        return done.stdout

    def make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.jaga('init', '--name', 'Bench', '--country', 'TH', '--listen', '127.0.0.1:8443')

    def take(self, *files):
        """Imports: seconds, objects, most anonymous memory of one process."""
        command = [self.bench.jaga, '-q', '-C', self.folder, '--json', 'import'] + list(files)
        start = time.monotonic()
        p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch = Watch(p.pid)
        out, err = p.communicate()
        seconds = time.monotonic() - start
        most = watch.end()
        if p.returncode not in (0, 3):
            raise RuntimeError('jaga import: ' + err.strip())
        counts = json.loads(out)['counts']
        return seconds, sum(v for k, v in counts.items() if k not in ('known', 'refused')), most

    def serve(self):
        self.port = free_port()
        self.jaga('config', 'listen', '127.0.0.1:%d' % self.port)
        log = open(self.folder + '.log', 'w')
        self.process = subprocess.Popen([self.bench.jaga, '-C', self.folder, 'serve'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=log, text=True)
        if 'ready' not in self.process.stdout.readline():
            raise RuntimeError('jaga serve does not get ready; see %s.log' % self.folder)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None

    def get(self, path, token):
        """An answer's head fields and body."""
        c = ssl.create_default_context()
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
        http_ = http.client.HTTPSConnection('127.0.0.1', self.port, context=c)
        http_.request('GET', path, headers={'Authorization': 'Bearer ' + token})
        answer = http_.getresponse()
        body = answer.read()
        http_.close()
        if answer.status != 200:
            raise RuntimeError('%s: %d %s' % (path, answer.status, body[:300].decode()))
        return answer.headers, body

    def query(self, sql, *values):
        d = sqlite3.connect('file:%s?mode=ro' % self.store, uri=True)
        try:
            return d.execute(sql, values).fetchall()
        finally:
            d.close()

    def reader(self, name, org=None):
        """A user and a token of that name; the token's text and its collection."""
        told = os.path.join(self.folder, 'token-' + name)
        if not os.path.exists(told):
            self.jaga('user', 'add', name, '--role', 'reader', *(['--org', org] if org else []))
            out = self.jaga('--json', 'token', 'add', 't-' + name, '--user', name, '--scope',
                            'read', '--ends', '900d')
            with open(told, 'w') as f:
                f.write(out)
        with open(told) as f:
            t = json.load(f)
        principal, epoch = self.query('SELECT n, epoch FROM principal WHERE name = ?', 't-' + name)[0]
        return {'token': t['token'], 'collection': t['collection'], 'principal': str(principal),
                'epoch': str(epoch), 'path': '/taxii2/root/collections/%s/objects/' % t['collection']}


# -- the benches -----------------------------------------------------------------------------------

class Bench:
    def __init__(self, o):
        self.o = o
        self.build = os.path.abspath(o.build)
        self.data = os.path.join(self.build, 'data')
        self.jaga = os.path.join(self.build, 'src', 'main', 'jaga')
        self.rows = []
        os.makedirs(self.data, exist_ok=True)
        self.stamp = hashlib.sha256()
        for p in (self.jaga, self.tool('gen_indicators'), self.tool('fill_groups')):
            with open(p, 'rb') as f:
                self.stamp.update(f.read())
        self.stamp = self.stamp.hexdigest()

    def tool(self, name):
        return os.path.join(self.build, 'bench', name)

    def add(self, *args, **named):
        row = Row(*args, **named)
        self.rows.append(row)
        if self.o.json:
            if not row.extra:
                print(row.json(), flush=True)
        else:
            say(row.text().rstrip())

    def run(self, tool, *args, **named):
        done = subprocess.run([self.tool(tool)] + list(args), stdout=subprocess.PIPE, text=True,
                              check=True, **named)
        return json.loads(done.stdout)

    def bare_ingest(self, node):
        """Seconds that SQLite alone takes for the rows of a store, and objects a second."""
        got = self.run('bare_ingest', node.store, os.path.join(self.data, 'bare.db'))
        return got['seconds'], got['objects'] / got['seconds']

    def scaled(self, size):
        """What the prototype's figure for a size comes to on this machine now."""
        got = self.run('bare_ingest', '--plain', os.path.join(self.data, 'bare.db'))
        plain = got['rows'] / got['seconds']
        return PROTOTYPE[size] * plain / PLAIN_RATE, plain

    def ingest_attack(self):
        data = os.environ.get('JAGA_DATA') or os.path.join(ROOT, '..', 'shared', 'data')
        files = sorted(glob.glob(os.path.join(data, 'stix', '*.json')))
        if not files:
            say('ingest-attack is skipped: no ATT&CK bundle in %s/stix (set JAGA_DATA)' % data)
            return
        node, ratios, rates, bare, most = Node(self, 'attack'), [], [], [], 0
        for _ in range(ROUNDS):
            node.make()
            seconds, objects, anon = node.take(*files)
            bare_seconds, _ = self.bare_ingest(node)
            ratios.append(bare_seconds / seconds)
            rates.append(objects / seconds)
            bare.append(objects / bare_seconds)
            most = max(most, anon)
        shutil.rmtree(node.folder)
        rate = median(rates)
        self.add('ingest-attack', rate, 'objects/s', rate / median(ratios), 0.75, True,
                 '%d objects in %d files; ratios %s' % (objects, len(files), spread(ratios)))
        self.add('memory of one process', most, 'MiB', ANON_MAX, 1, False, extra=True)

    def build_node(self, name, count, seed):
        """A store of that many indicators; what was measured when it was built."""
        node = Node(self, name)
        told = node.folder + '.json'
        try:
            with open(told) as f:
                known = json.load(f)
            if not self.o.fresh and (known['stamp'] == self.stamp or self.o.reuse):
                return node, known
        except (OSError, ValueError, KeyError):
            pass
        bundle = os.path.join(self.data, 'bundle.json')
        say('building a store of %s indicators' % '{:,}'.format(count))
        with open(bundle, 'w') as f:
            subprocess.run([self.tool('gen_indicators'), str(count), str(seed)], stdout=f, check=True)
        node.make()
        seconds, objects, anon = node.take(bundle)
        known = {'stamp': self.stamp, 'seconds': seconds, 'objects': objects, 'anon': anon,
                 'at': datetime.datetime.now().strftime('%Y-%m-%d %H:%M')}
        os.remove(bundle)
        if count >= MILLION:
            known['bare_seconds'], known['bare_rate'] = self.bare_ingest(node)
            known['scaled'], known['plain'] = self.scaled(count)
            known['after_us'] = node.query('SELECT max(arrival) FROM publication')[0][0]
            with open(bundle, 'w') as f:
                subprocess.run([self.tool('gen_indicators'), str(FILL), str(seed + 1000)], stdout=f,
                               check=True)
            with open(bundle) as f:
                self.run('fill_groups', node.store, str(GROUPS), stdin=f)
            os.remove(bundle)
        known['bytes'] = sum(os.path.getsize(p) for p in glob.glob(node.store + '*'))
        node.reader('whole', 'whole' if count >= MILLION else None)
        if count >= MILLION:
            node.reader('sparse', 'sparse')
            node.reader('wide', 'wide')
        with open(told, 'w') as f:
            json.dump(known, f)
        say('%s: %.1f GB in %s' % (name, known['bytes'] / 1e9, node.folder))
        return node, known

    def ingest_rows(self, name, known, size, extra):
        rate = known['objects'] / known['seconds']
        self.add(name, rate, 'objects/s', rate * known['seconds'] / known['bare_seconds'], 0.75,
                 True, 'measured ' + known['at'], extra=extra)
        self.add('bare, to the prototype', known['bare_rate'], 'objects/s', known['scaled'], 0.8,
                 True, 'scaled by %s plain rows/s against %s' % (figure(known['plain']),
                                                                 figure(PLAIN_RATE)), extra=True)
        self.add('memory of one process', known['anon'], 'MiB', ANON_MAX, 1, False, extra=True)

    # Reads over TLS

    def wrk(self, port, path, token, connections):
        done = subprocess.run(['wrk', '-t1', '-c%d' % connections, '-d1s', '-H',
                               'Authorization: Bearer ' + token,
                               'https://127.0.0.1:%d%s' % (port, path)],
                              stdout=subprocess.PIPE, text=True, check=True)
        rate = 0
        for line in done.stdout.splitlines():
            if line.startswith('Requests/sec:'):
                rate = float(line.split()[1])
            if 'Socket errors' in line or 'Non-2xx' in line:
                raise RuntimeError('%s: %s' % (path, line.strip()))
        return rate

    def against_library(self, node, names):
        r = node.reader('whole')
        after = node.query('SELECT arrival FROM publication WHERE p = ?', SMALL // 2)[0][0]
        paths = {'page': r['path'] + '?limit=100&added_after=' + stamp_text(after)}
        _, body = node.get(paths['page'], r['token'])
        one = json.loads(body)['objects'][50]['id']
        paths['object'] = r['path'] + one + '/'
        with tempfile.TemporaryDirectory(dir=self.data) as t:
            files = []
            for n in ('page', 'object'):
                files.append(os.path.join(t, n))
                with open(files[-1], 'wb') as f:
                    f.write(node.get(paths[n], r['token'])[1])
            port = free_port()
            bare = subprocess.Popen([self.tool('bare_http'), str(port),
                                     os.path.join(node.folder, 'tls', 'cert.pem'),
                                     os.path.join(node.folder, 'tls', 'key.pem')] + files,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            bare.stdout.readline()
            try:
                for n in names:
                    for connections, wanted in ((16, 0.65 if n == 'page' else 0.7), (1, 0.55)):
                        ours, theirs, ratios = [], [], []
                        for _ in range(ROUNDS + 2):
                            ours.append(self.wrk(node.port, paths[n], r['token'], connections))
                            theirs.append(self.wrk(port, '/%d' % ('page', 'object').index(n),
                                                   r['token'], connections))
                            ratios.append(ours[-1] / theirs[-1])
                        rate = median(ours)
                        self.add(n if connections == 16 else n + ', 1 connection', rate,
                                 n + 's/s', rate / median(ratios), wanted, True,
                                 'ratios ' + spread(ratios), extra=connections != 16)
            finally:
                bare.stdin.close()
                bare.wait(10)
                bare.stdout.close()

    def walk_http(self, node, who, pages, after_us=0):
        r = node.reader(who)
        path = r['path'] + '?limit=100' + ('&added_after=' + stamp_text(after_us) if after_us else '')
        got = self.run('walk_http', str(node.port), r['token'], path, str(pages))
        return got['seconds'] / got['pages'] * 1e6

    def walk_reader(self, node, who, pages, after_us=0):
        r = node.reader(who)
        got = self.run('read_store', node.store, r['principal'], r['epoch'], 'walk',
                       r['collection'], str(pages), str(after_us))
        return got['page']['mean_us']

    def compare(self, name, one, other, wanted, note):
        """Walks one and the other in turn: over TLS, which counts, and inside the reader."""
        for label, fn, extra in ((name, self.walk_http, False),
                                 ('in the reader', self.walk_reader, True)):
            a, b = [], []
            fn(*one[:2], 100, *one[3:])
            fn(*other[:2], 100, *other[3:])
            for _ in range(3):
                a.append(fn(*one))
                b.append(fn(*other))
            ratios = [x / y for x, y in zip(a, b)]
            value = median(a)
            self.add(label, value, 'us/page', value / median(ratios), None if extra else wanted,
                     False, ('processor time' if extra else note) + '; ratios ' + spread(ratios),
                     extra=extra)

    def lookup(self, node):
        r = node.reader('whole')
        lines = []
        for i in range(1, 2001):
            p = (i * 7919 * 61) % (MILLION - 100) + 50
            got = node.query('SELECT bytes FROM publication WHERE p = ?', p)
            o = json.loads(got[0][0]) if got and got[0][0] else {}
            if o.get('type') == 'indicator' and o['pattern'].count("'") in (2, 4):
                value = o['pattern'].rsplit(" = '", 1)[1].split("'")[0]
                lines.append('%s\t%s\n' % (o['id'], value))
        got = self.run('read_store', node.store, r['principal'], r['epoch'], 'lookup',
                       r['collection'], input=''.join(lines))
        if got['found'] != len(lines) or got['values_found'] < len(lines) * 0.99:
            say('lookup: %d of %d found by id, %d by value' % (
                got['found'], len(lines), got['values_found']))
        slow = max(('id', 'value'), key=lambda k: got[k]['median_us'])
        self.add('lookup', got[slow]['median_us'] / 1000, 'ms', 0.2, 1, False,
                 'median by %s, the slower; %d look-ups each' % (slow, len(lines)))
        for k in ('id', 'value'):
            self.add('by ' + k, got[k]['mean_us'] / 1000, 'ms', 0.2, 1, False,
                     'mean processor time; 99 of 100 within %.3f ms of the clock' % (
                         got[k]['p99_us'] / 1000), extra=True)

    def start(self):
        times = []
        for _ in range(51):
            t = time.monotonic()
            subprocess.run([self.jaga, '--version'], stdout=subprocess.DEVNULL, check=True)
            times.append((time.monotonic() - t) * 1000)
        self.add('start', median(times), 'ms', 10, 1, False, 'jaga --version')

    def all(self, names):
        node = None
        million = set(names) - {'ingest-attack', 'start'}
        if million:
            node, known = self.build_node('million', MILLION, 1)
        if 'ingest-million' in names:
            self.ingest_rows('ingest-million', known, MILLION, False)
        try:
            if million - {'ingest-million'}: # a reader without a writer works differently, too
                node.serve()
                ready = time.monotonic()
            # What does not touch the node fills its idle minute.
            if 'ingest-attack' in names:
                self.ingest_attack()
            if 'start' in names:
                self.start()
            if 'idle-memory' in names:
                time.sleep(max(0, ready + IDLE_S - time.monotonic()))
                self.add('idle-memory', proportional(node.process.pid), 'MiB', 64, 1, False,
                         'proportional, %d processes' % len(family(node.process.pid)))
            self.reads(names, node, known if million else None)
        finally:
            if node:
                node.stop()
        if self.o.large:
            self.large()

    def reads(self, names, node, known):
        both = [n for n in ('page', 'object') if n in names]
        if both:
            self.against_library(node, both)
        if 'page-million' in names:
            small, _ = self.build_node('ten-thousand', SMALL, 2)
            small.serve()
            try:
                self.compare('page-million', (node, 'whole', MILLION // 100),
                             (small, 'whole', MILLION // 400), 1.6, 'against 10,000 objects')
            finally:
                small.stop()
        if 'page-sparse' in names:
            self.compare('page-sparse', (node, 'sparse', 1000), (node, 'whole', 2000), 1.5,
                         'sees one in a thousand')
        if 'page-groups' in names:
            self.compare('page-groups', (node, 'wide', 1000, known['after_us']),
                         (node, 'whole', 1000), 1.5, '%d audiences' % GROUPS)
        if 'lookup' in names:
            self.lookup(node)

    def large(self):
        node, _ = self.build_node('million', MILLION, 1)
        three, known = self.build_node('three-million', 3 * MILLION, 3)
        self.ingest_rows('ingest-3-million', known, 3 * MILLION, True)
        try:
            node.serve()
            three.serve()
            self.compare('page-3-million', (three, 'whole', 3 * MILLION // 100),
                         (node, 'whole', MILLION // 100), 1.2, 'against 1,000,000 objects')
        finally:
            node.stop()
            three.stop()


def stamp_text(us):
    t = datetime.datetime.fromtimestamp(us // 1000000, datetime.timezone.utc)
    return t.strftime('%Y-%m-%dT%H:%M:%S') + '.%06dZ' % (us % 1000000)


def main():
    p = argparse.ArgumentParser(prog='./dev bench', usage='./dev bench [--large] [--json] [NAME...]')
    p.add_argument('build', help=argparse.SUPPRESS)
    p.add_argument('--large', action='store_true', help='a store of three million objects too')
    p.add_argument('--json', action='store_true', help='a line of JSON for each name')
    p.add_argument('--fresh', action='store_true', help='build the stores anew')
    p.add_argument('--reuse', action='store_true', help="take an older program's stores")
    p.add_argument('names', nargs='*', metavar='NAME', help=', '.join(NAMES))
    o = p.parse_intermixed_args()
    for n in o.names:
        if n not in NAMES:
            p.error('no bench is called %s; there are %s' % (n, ', '.join(NAMES)))
    names = o.names or NAMES
    bench = Bench(o)
    say('%d cores, shared with the clients; load %s' % (
        os.cpu_count(), ' '.join('%.1f' % x for x in os.getloadavg())))
    try:
        bench.all(names)
    except (RuntimeError, subprocess.CalledProcessError, OSError) as e:
        say(str(e))
        sys.exit(1)
    if not o.json:
        print('%-24s %11s %-10s %11s %7s  %-8s' % ('name', 'value', 'unit', 'limit', 'ratio', 'wanted'))
        order = NAMES + [r.name for r in bench.rows]
        group, keyed = '', []
        for r in bench.rows:
            group = group if r.extra else r.name
            keyed.append((order.index(group) if group in order else len(order), r))
        for _, r in sorted(keyed, key=lambda k: k[0]):
            print(r.text().rstrip())


if __name__ == '__main__':
    main()
