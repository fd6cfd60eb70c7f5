/* What is signed never contradicts what was signed before, whatever becomes of the process. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "pledge.h"

#define LEAVES 40
#define ENTRY  81 /* bytes of one entry of the record */
#define HEAD   14 /* of what the record begins with */

struct place {
    char folder[PATH_MAX];
    struct hash leaf[2][LEAVES]; /* two histories that part at 10 */
    struct sign_public key;
    struct pledge *p;
};

static int
leaf_of(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    (void)e;
    *out = ((const struct hash *)arg)[i];
    return 0;
}

static struct merkle_source
source(struct place *t, int which)
{
    return (struct merkle_source){t->leaf[which], leaf_of, NULL};
}

static struct pledge *
opened(struct place *t)
{
    struct err e = ERR_INIT;
    struct pledge *p;

    if (pledge_open(t->folder, &p, &e) != 0)
        fail_msg("%s %s", e.text, e.place);
    return p;
}

static int
setup(void **state)
{
    struct place *t = calloc(1, sizeof *t);
    struct err e = ERR_INIT;

    assert_non_null(t);
    strcpy(t->folder, "/tmp/jaga-pledge-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    for (uint64_t i = 0; i < LEAVES; i++) {
        hash_sha256(span_from(&i, sizeof i), &t->leaf[0][i]);
        t->leaf[1][i] = t->leaf[0][i];
        t->leaf[1][i].b[0] ^= i >= 10;
    }
    if (pledge_create(t->folder, &t->key, &e) != 0)
        fail_msg("%s", e.text);
    t->p = opened(t);
    *state = t;
    return 0;
}

static void
path_of(struct place *t, const char *name, char out[PATH_MAX + 20])
{
    snprintf(out, PATH_MAX + 20, "%s/%s", t->folder, name);
}

static int
teardown(void **state)
{
    static const char *const names[] = {PLEDGE_KEY_FILE, PLEDGE_RECORD_FILE};
    struct place *t = *state;
    char path[PATH_MAX + 20];

    pledge_close(t->p);
    for (size_t i = 0; i < 2; i++) {
        path_of(t, names[i], path);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(t->folder), 0);
    free(t);
    return 0;
}

static struct hash
stream(uint8_t n)
{
    struct hash h = {{n}};

    return h;
}

/* A head of a size of one history, with the proof from another size of a history. */
static struct pledge_head
head_of(struct place *t, uint8_t n, int which, uint64_t size, int from_which, uint64_t from)
{
    struct merkle_source to = source(t, which), old = source(t, from_which);
    struct pledge_head h = {.head = {.stream = stream(n), .size = size, .time_us = 1}};

    (void)old;
    assert_int_equal(merkle_root(&to, size, &h.head.root, NULL), 0);
    if (from <= size)
        assert_int_equal(merkle_consistency(&to, from, size, &h.proof, NULL), 0);
    return h;
}

static enum err_code
sign(struct place *t, struct pledge_head h)
{
    struct uuid me = {{1}};
    struct err e = ERR_INIT;

    if (pledge_heads(t->p, &h, 1, &e) != 0)
        return e.code;
    assert_true(head_ok(&h.head, &me, &t->key));
    return ERR_NONE;
}

static void
again(struct place *t)
{
    pledge_close(t->p);
    t->p = opened(t);
}

static void
extends(void **state)
{
    struct place *t = *state;
    struct hash root;
    uint64_t size;

    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_NONE);
    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 5)), ERR_NONE); /* the same again */
    assert_int_equal(sign(t, head_of(t, 1, 0, 12, 0, 5)), ERR_NONE);
    for (int i = 0; i < 2; i++) {
        static const struct {
            const char *why;
            int which;
            uint64_t size, from;
        } bad[] = {
            {"shorter", 0, 11, 5},           {"empty", 0, 0, 0},
            {"another root", 1, 12, 12},     {"a fork", 1, 20, 12},
            {"proof from before", 0, 20, 5}, {"no proof", 0, 20, 0},
        };

        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            if (sign(t, head_of(t, 1, bad[k].which, bad[k].size, 0, bad[k].from)) != ERR_CONFLICT)
                fail_msg("signed: %s", bad[k].why);
        }
        again(t); /* nor after a restart */
    }
    assert_int_equal(sign(t, head_of(t, 2, 1, 20, 1, 0)), ERR_NONE); /* another stream */
    assert_int_equal(sign(t, head_of(t, 1, 0, 20, 0, 12)), ERR_NONE);
    pledge_last_head(t->p, &(struct hash){{1}}, &size, &root);
    assert_int_equal(size, 20);
    pledge_last_head(t->p, &(struct hash){{9}}, &size, &root);
    assert_int_equal(size, 0);
}

/* All or none, and never two of one stream. */
static void
together(void **state)
{
    struct place *t = *state;
    struct pledge_head list[3] = {head_of(t, 1, 0, 5, 0, 0), head_of(t, 2, 0, 6, 0, 0),
                                  head_of(t, 3, 0, 7, 0, 0)};
    struct err e = ERR_INIT;
    struct hash root;
    uint64_t size;

    assert_int_equal(pledge_heads(t->p, list, 3, &e), 0);
    list[0] = head_of(t, 1, 0, 9, 0, 5);
    list[1] = head_of(t, 2, 0, 3, 0, 0);
    assert_int_equal(pledge_heads(t->p, list, 2, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    pledge_last_head(t->p, &list[0].head.stream, &size, &root);
    assert_int_equal(size, 5);
    list[0] = list[1] = head_of(t, 4, 0, 3, 0, 0);
    assert_int_equal(pledge_heads(t->p, list, 2, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(pledge_heads(t->p, list, 0, &e), 0);
}

static void
receipts_and_groups(void **state)
{
    struct place *t = *state;
    struct uuid me = {{1}};
    struct pledge_head h = head_of(t, 1, 0, 12, 0, 0), fork = head_of(t, 1, 1, 20, 1, 12);
    struct receipt r = {.stream = h.head.stream, .size = 12, .root = h.head.root, .by = me};
    struct circle_mark m = {.group = {1}, .order = GROUP_ORDER(1, 2), .body = {{1}}, .by = me};
    struct err e = ERR_INIT;

    assert_int_equal(pledge_receipt(t->p, &r, &h.proof, &e), 0);
    assert_true(receipt_ok(&r, &me, &t->key));
    r.size = 20;
    r.root = fork.head.root;
    assert_int_equal(pledge_receipt(t->p, &r, &fork.proof, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(sign(t, h), ERR_NONE); /* a head of that stream is another matter */
    assert_int_equal(pledge_circle(t->p, &m, &e), 0);
    assert_int_equal(pledge_circle(t->p, &m, &e), 0);
    m.body.b[0] = 2;
    assert_int_equal(pledge_circle(t->p, &m, &e), -1);
    again(t);
    assert_int_equal(pledge_circle(t->p, &m, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    m.order--;
    assert_int_equal(pledge_circle(t->p, &m, &e), -1);
    m.order += 2;
    assert_int_equal(pledge_circle(t->p, &m, &e), 0);
    m.group[0] = 2;
    m.order = GROUP_ORDER(1, 1);
    assert_int_equal(pledge_circle(t->p, &m, &e), 0);
}

static off_t
size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* Cut anywhere in the last entry, it was never signed: the one before counts, and goes on. */
static void
torn(void **state)
{
    struct place *t = *state;
    char path[PATH_MAX + 20];

    path_of(t, PLEDGE_RECORD_FILE, path);
    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_NONE);
    for (off_t cut = 0; cut < ENTRY; cut++) {
        off_t whole;

        assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 5)), ERR_NONE);
        whole = size_of(path);
        pledge_close(t->p);
        assert_int_equal(truncate(path, whole - ENTRY + cut), 0);
        t->p = opened(t);
        assert_int_equal(size_of(path), whole - ENTRY);
        assert_int_equal(sign(t, head_of(t, 1, 1, 12, 1, 5)), ERR_NONE); /* still open */
        pledge_close(t->p);
        assert_int_equal(truncate(path, whole - ENTRY), 0);
        t->p = opened(t);
    }
}

static void
flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    unsigned char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x40;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

/* Damaged before the end, nobody knows what was signed: then nothing is. */
static void
damaged(void **state)
{
    struct place *t = *state;
    char path[PATH_MAX + 20];
    struct pledge *p;
    off_t whole;

    path_of(t, PLEDGE_RECORD_FILE, path);
    for (uint8_t i = 0; i < 4; i++)
        assert_int_equal(sign(t, head_of(t, i, 0, 5, 0, 0)), ERR_NONE);
    pledge_close(t->p);
    whole = size_of(path);
    assert_int_equal(whole, HEAD + 4 * ENTRY);
    for (off_t at = 0; at < whole - ENTRY; at += 7) {
        struct err e = ERR_INIT;

        flip(path, at);
        if (pledge_open(t->folder, &p, &e) == 0)
            fail_msg("opened with byte %ld damaged", (long)at);
        assert_int_equal(e.code, ERR_CORRUPT);
        flip(path, at);
    }
    t->p = opened(t);
    assert_int_equal(sign(t, head_of(t, 1, 1, 12, 1, 5)), ERR_NONE);
}

static void
lost(void **state)
{
    struct place *t = *state;
    struct erase_notice n = {.stream = stream(1)};
    struct err e = ERR_INIT;
    char path[PATH_MAX + 20];

    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_NONE);
    assert_false(pledge_lost(t->p));
    assert_int_equal(pledge_anew(t->p, &e), -1);
    pledge_close(t->p);
    path_of(t, PLEDGE_RECORD_FILE, path);
    assert_int_equal(unlink(path), 0);
    t->p = opened(t);
    assert_true(pledge_lost(t->p));
    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_CONFLICT);
    assert_int_equal(pledge_erase(t->p, &n, &e), -1);
    assert_int_equal(pledge_anew(t->p, &e), 0);
    assert_false(pledge_lost(t->p));
    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_NONE);
}

static void
keys(void **state)
{
    static const char *const bad[] = {"", "jaga sign key 1 00\n", "nonsense", NULL};
    struct place *t = *state;
    struct sign_public other;
    struct err e = ERR_INIT;
    char path[PATH_MAX + 20];
    struct pledge *p;

    path_of(t, PLEDGE_KEY_FILE, path);
    assert_true(sign_public_eq(pledge_public(t->p), &t->key));
    assert_int_equal(size_of(path), 16 + 64 + 1);
    assert_int_equal(pledge_create(t->folder, &other, &e), -1); /* never over another */
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(pledge_open(t->folder, &p, &e), -1); /* one process has it */
    assert_int_equal(e.code, ERR_BUSY);
    pledge_close(t->p);
    t->p = NULL;
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(pledge_open(t->folder, &p, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_int_equal(chmod(path, 0600), 0);
    for (size_t i = 0; bad[i] != NULL; i++) {
        int fd = open(path, O_WRONLY | O_TRUNC);

        assert_int_equal(write(fd, bad[i], strlen(bad[i])), (ssize_t)strlen(bad[i]));
        close(fd);
        assert_int_equal(pledge_open(t->folder, &p, &e), -1);
        assert_int_equal(e.code, ERR_CORRUPT);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pledge_open(t->folder, &p, &e), -1);
    assert_int_equal(e.code, ERR_MISSING);
}

/* Where the record cannot be written nothing is signed, and nothing more before a new start. */
static void
full(void **state)
{
    struct place *t = *state;
    int status;
    pid_t pid;

    assert_int_equal(sign(t, head_of(t, 1, 0, 5, 0, 0)), ERR_NONE);
    pid = fork();
    if (pid == 0) {
        const struct rlimit r = {HEAD + ENTRY + 40, HEAD + ENTRY + 40};
        struct pledge_head h = head_of(t, 1, 0, 12, 0, 5);
        struct err e = ERR_INIT;

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &r) != 0)
            _exit(2);
        if (pledge_heads(t->p, &h, 1, &e) == 0 || e.sys != EFBIG)
            _exit(3);
        h = head_of(t, 1, 0, 5, 0, 5);
        _exit(pledge_heads(t->p, &h, 1, &e) == 0 ? 4 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    again(t);
    assert_int_equal(sign(t, head_of(t, 1, 0, 12, 0, 5)), ERR_NONE);
}

static void
logins(void **state)
{
    struct place *t = *state;
    const struct uuid me = {{1}}, peer = {{2}}, third = {{3}};
    char nonce[PLEDGE_NONCE_BYTES] = {7}, other[PLEDGE_NONCE_BYTES] = {8};
    const struct span n = {nonce, sizeof nonce};
    struct signature s;
    struct err e = ERR_INIT;

    assert_int_equal(pledge_login(t->p, n, &me, &peer, &s, &e), 0);
    assert_true(pledge_login_ok(&t->key, n, &me, &peer, &s));
    assert_false(pledge_login_ok(&t->key, n, &peer, &me, &s));
    assert_false(pledge_login_ok(&t->key, n, &me, &third, &s));
    assert_false(pledge_login_ok(&t->key, (struct span){other, sizeof other}, &me, &peer, &s));
    assert_false(pledge_login_ok(&t->key, (struct span){nonce, 31}, &me, &peer, &s));
    assert_int_equal(pledge_login(t->p, (struct span){nonce, 31}, &me, &peer, &s, &e), -1);
    s.b[0] ^= 1;
    assert_false(pledge_login_ok(&t->key, n, &me, &peer, &s));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(extends), T(together), T(receipts_and_groups), T(torn), T(damaged), T(lost), T(keys),
        T(full),    T(logins),
    };
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
