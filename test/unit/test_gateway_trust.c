/* The time that an agent knows, whom it trusts, and what it says when it does not. */
#include "agent.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include "capture.h"
#include "err.h"
#include "sys/built_in.h"
#include "sys/log.h"
#include "tap.h"

#define YEAR_S 31622400
#define DAY_S 86400

static char dir[] = "/tmp/adit-test-XXXXXX";
static char path[64];
static struct agent agent;

static void write_text(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        exit(1);
    close(fd);
}

/* ---- the time ---- */

/* What the agent takes for the earliest possible time, with this in its state file. */
static int64_t floor_of(const char *state)
{
    static const char *pin = "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    memset(&agent, 0, sizeof agent);
    agent.config.state = path;
    agent.config.pin[0] = pin;
    agent.target.any_tls = true;
    if (state)
        write_text(state);
    else
        unlink(path);
    is_int(gateway_trust_init(&agent), 0, "whatever a state file holds, it is no error");
    return agent.floor;
}

static int64_t floor_of_number(int64_t value, const char *after)
{
    char text[64];

    snprintf(text, sizeof text, "%lld%s", (long long)value, after);
    return floor_of(text);
}

static void test_state_read(void)
{
    const int64_t latest = built_in_time + (int64_t)30 * YEAR_S;

    is_int(floor_of(NULL), built_in_time, "no file: the time of the build");
    is_int(agent.floor_kept, 0, "and one is due");
    is_int(floor_of_number(built_in_time + 7, "\n"), built_in_time + 7, "a time");
    is_int(agent.floor_kept, built_in_time + 7, "is known to stand in the file");
    is_int(floor_of_number(built_in_time + 7, ""), built_in_time + 7, "without a line's end");
    is_int(floor_of_number(built_in_time - 7, "\n"), built_in_time, "one before the build");
    is_int(floor_of_number(latest, "\n"), latest, "the last that can be");
    is_int(floor_of_number(latest + 1, "\n"), built_in_time, "one later");
    is_int(floor_of(""), built_in_time, "nothing");
    is_int(floor_of("\n"), built_in_time, "an empty line");
    is_int(floor_of_number(built_in_time + 7, "x\n"), built_in_time, "no number");
    is_int(floor_of("99999999999999999999999999"), built_in_time, "too long a number");
}

static int64_t in_file(void)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    return n > 0 && text[n - 1] == '\n' ? strtoll(text, NULL, 10) : 0;
}

/* What is known after the gateway has told `server_time` in a connection whose certificates were
 * judged as of `now` and last a hundred years more. */
static int64_t learnt(int64_t now, int64_t server_time)
{
    agent.uri.tls = agent.tls.check.accepted = true;
    agent.tls.check.now = now;
    agent.tls.check.until = now + (int64_t)100 * YEAR_S;
    gateway_trust_learn(&agent, server_time);
    return agent.floor;
}

static void test_state_learnt(void)
{
    const int64_t start = floor_of_number(built_in_time + 1000, "\n"), much = 20 * (int64_t)YEAR_S;

    is_int(learnt(start, start + DAY_S - 1), start + DAY_S - 1, "a later time is learnt");
    is_int(in_file(), start, "flash is spared for a day");
    is_int(learnt(start, start + DAY_S), start + DAY_S, "a day later");
    is_int(in_file(), start + DAY_S, "it is kept");
    is_int(learnt(start, start), start + DAY_S, "time does not go back");
    is_int(in_file(), start + DAY_S, "nor does the file");
    is_int(learnt(start, start + much), start + YEAR_S, "by a year at most");
    is_int(learnt(start, start + YEAR_S - 1), start + YEAR_S, "and then no further");
    is_int(learnt(start + much, built_in_time + 30 * (int64_t)YEAR_S + 1), start + YEAR_S,
           "a time that cannot be is not learnt");
    agent.config.state = NULL;
    is_int(learnt(start + YEAR_S, start + much), start + 2 * (int64_t)YEAR_S, "without a file");
    is_int(in_file(), start + YEAR_S, "nothing is written");
    unlink(path);
}

static void test_state_not_learnt(void)
{
    const int64_t start = floor_of(NULL);

    agent.tls.check.now = start;
    agent.tls.check.until = start + DAY_S;
    gateway_trust_learn(&agent, start + 1);
    is_int(agent.floor, start, "nothing is learnt in the clear");
    agent.uri.tls = true;
    gateway_trust_learn(&agent, start + 1);
    is_int(agent.floor, start, "nor of one whose certificate was not looked at");
    agent.tls.check.accepted = true;
    gateway_trust_learn(&agent, start + DAY_S + 1);
    is_int(agent.floor, start, "nor what is beyond the certificate");
    gateway_trust_learn(&agent, start + DAY_S);
    is_int(agent.floor, start + DAY_S, "its last second is not");
    unlink(path);
}

static void test_state_unwritable(void)
{
    const int64_t start = floor_of(NULL);

    agent.config.state = "/nonexistent/state";
    is_int(learnt(start, start + 2 * DAY_S), start + 2 * DAY_S, "it is known, if not kept");
}

/* ---- why the gateway is not trusted ---- */

static struct capture said;

static const char *logged(int tls_err)
{
    capture_begin(&said, STDERR_FILENO);
    log_begin(LOG_WARN);
    gateway_trust_log(&agent, tls_err);
    log_end();
    return capture_end(&said);
}

static void test_log_time(void)
{
    static const int errors[] = { BR_ERR_X509_EXPIRED, TRUST_ERR_EARLY };
    char plain[200], judged[300], kept[400];

    for (int i = 0; i < 2; i++) {
        const char *text = tls_error_text(errors[i]);

        snprintf(plain, sizeof plain, "warning: %s\n", text);
        snprintf(judged, sizeof judged,
                 "warning: %s; it was judged by the last time that a gateway told\n", text);
        snprintf(kept, sizeof kept, "warning: %s; it was judged by the last time that a gateway "
                 "told (--state %s: remove the file if it is wrong)\n", text, path);
        agent.floor = built_in_time + 1;
        agent.tls.check.now = built_in_time + 1;
        agent.config.state = path;
        is_str(logged(errors[i]), kept, "a certificate judged by the time in the file");
        agent.config.state = NULL;
        is_str(logged(errors[i]), judged, "by a time that was told since the start");
        agent.tls.check.now++;
        is_str(logged(errors[i]), plain, "by the clock");
        agent.floor = agent.tls.check.now = built_in_time;
        is_str(logged(errors[i]), plain, "by the time of the build");
    }
    agent.floor = agent.tls.check.now = built_in_time + 1;
    snprintf(plain, sizeof plain, "warning: %s\n", tls_error_text(BR_ERR_X509_BAD_SERVER_NAME));
    is_str(logged(BR_ERR_X509_BAD_SERVER_NAME), plain, "another's name has nothing to do with it");
}

static void test_log_trust(void)
{
    memset(&agent, 0, sizeof agent);
    test_log_time();
    agent.trust.anchor_count = 3;
    is_str(logged(BR_ERR_X509_NOT_TRUSTED), "warning: certificate chain does not end in a trusted "
           "CA (this program has 3 anchors); use --ca or --pin\n", "authorities compiled in");
    agent.trust.path[0] = "/etc/ca.pem";
    agent.trust.path_count = 1;
    is_str(logged(BR_ERR_X509_NOT_TRUSTED), "warning: certificate chain does not end in a trusted "
           "CA (file /etc/ca.pem has 3 anchors); use --ca or --pin\n", "or those of a file");
}

#ifdef ADIT_MTLS
static void test_log_refused(void)
{
    static const char refused[] = "warning: the gateway refuses this agent\n";
    char plain[200];
    const int alert = BR_ERR_RECV_FATAL_ALERT + 42; /* bad_certificate */

    memset(&agent, 0, sizeof agent);
    snprintf(plain, sizeof plain, "warning: %s\n", tls_error_text(alert));
    is_str(gateway_trust_hint(&agent), "", "a gateway that asks for no certificate");
    is_str(logged(alert), plain, "has other reasons");
    agent.mtls.asked = true;
    is_str(gateway_trust_hint(&agent), "; the gateway asks for a certificate: use --client-cert",
           "one that asks an agent without");
    is_str(logged(alert), refused, "is what refuses");
    agent.mtls.chain_len = 1;
    is_str(gateway_trust_hint(&agent), "; check the authority and the dates of --client-cert",
           "one that asks and gets");
    is_str(logged(BR_ERR_RECV_FATAL_ALERT), refused, "the first of the gateway's alerts");
    is_str(logged(BR_ERR_RECV_FATAL_ALERT + 255), refused, "and the last");
    snprintf(plain, sizeof plain, "warning: %s\n", tls_error_text(BR_ERR_SEND_FATAL_ALERT + 42));
    is_str(logged(BR_ERR_SEND_FATAL_ALERT + 42), plain, "an alert of our own is not the gateway's");
}
#endif

/* ---- the system's authorities ---- */

enum { FOUND, NONE_FOUND, NO_ROOT_HERE };

static bool shell(const char *command, const char *argument)
{
    char text[256];

    snprintf(text, sizeof text, "cd %s && %s %s 2>/dev/null", dir, command, argument);
    return system(text) == 0;
}

/* What the agent finds where `dir` is the root. */
static int in_root(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDERR_FILENO);
        if (chroot(dir) < 0 && (unshare(CLONE_NEWUSER) < 0 || chroot(dir) < 0))
            _exit(NO_ROOT_HERE);
        memset(&agent, 0, sizeof agent);
        agent.target.any_tls = true;
        _exit(gateway_trust_init(&agent) == 0 && agent.trust.anchor_count == 1 ? FOUND
                                                                               : NONE_FOUND);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_bundles(void)
{
    static const char *const places[] = {
        "etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/cert.pem",
        "etc/ssl/ca-bundle.pem",
    };

    if (!shell("mkdir -p", "etc/ssl/certs etc/pki/tls/certs") ||
        !shell("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout key",
               "-out ca.pem"))
        exit(1);
    if (in_root() == NO_ROOT_HERE) {
        diag("no other root can be had here: where authorities are looked for is not tested");
    } else {
        is_int(in_root(), NONE_FOUND, "a system without authorities");
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            shell("cp ca.pem", places[i]);
            is_int(in_root(), FOUND, "one that has them in %s", places[i]);
            shell("rm", places[i]);
        }
    }
    shell("rm -r", "etc key ca.pem");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    test_state_read();
    test_state_learnt();
    test_state_not_learnt();
    test_state_unwritable();
    test_log_trust();
#ifdef ADIT_MTLS
    test_log_refused();
#endif
    test_bundles();
    rmdir(dir);
    return done_testing();
}
