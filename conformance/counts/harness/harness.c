// Makes a filter of rules with libseccomp as often as it is told, between two requests to
// callgrind that make it count. The calls are those that runc makes.
//
// usage: harness LEVEL TIMES <rules, or harness for the version
//
// LEVEL is libseccomp's optimisation level: 1 is a list, 2 a tree. TIMES 0 counts the only
// time, others what follows a first one. Rules are lines of words, numbers in any base:
//
//	default ACTION
//	arch TOKEN
//	rule ACTION NAME {ARG OPERATOR VALUE VALUE}...
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

struct rule {
	uint32_t action;
	char *name;
	unsigned n;
	struct scmp_arg_cmp args[6];
};

static uint32_t def, arches[32];
static unsigned narches;
static struct rule *rules;
static size_t nrules;

static void fail(int status, const char *what, int rc)
{
	fprintf(stderr, "harness: %s: %s\n", what, strerror(-rc));
	exit(status);
}

static void die(const char *what, int rc) { fail(1, what, rc); }

// Exits with the status that says that libseccomp cannot express these rules.
static void refused(const char *what, int rc) { fail(2, what, rc); }

static uint64_t number(void)
{
	char *word = strtok(NULL, " \n");
	return word ? strtoull(word, NULL, 0) : 0;
}

static void add_rule(void)
{
	struct rule r = {.action = number(), .name = strdup(strtok(NULL, " \n"))};
	for (char *arg; r.n < 6 && (arg = strtok(NULL, " \n")); r.n++) {
		struct scmp_arg_cmp *c = &r.args[r.n];
		c->arg = atoi(arg);
		c->op = number();
		c->datum_a = number();
		c->datum_b = number();
	}
	if (!(nrules & (nrules - 1))) { // no room after a power of two
		rules = realloc(rules, (nrules ? 2 * nrules : 1) * sizeof *rules);
		if (!rules)
			die("rules", -ENOMEM);
	}
	rules[nrules++] = r;
}

static void read_rules(void)
{
	char line[4096];
	while (fgets(line, sizeof line, stdin)) {
		char *word = strtok(line, " \n");
		if (!word)
			continue;
		if (!strcmp(word, "default"))
			def = number();
		else if (!strcmp(word, "arch"))
			arches[narches++] = number();
		else
			add_rule();
	}
}

static void compile(int level, int fd)
{
	int rc;
	scmp_filter_ctx ctx = seccomp_init(def);
	if (!ctx)
		die("init", -EINVAL);
	// Taking the native ABI out first unlocks the byte order.
	if ((rc = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE)))
		die("remove the native ABI", rc);
	for (unsigned i = 0; i < narches; i++)
		if ((rc = seccomp_arch_add(ctx, arches[i])))
			refused("add an ABI", rc);
	if ((rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, level)))
		die("set the level", rc);
	for (size_t i = 0; i < nrules; i++) {
		struct rule *r = &rules[i];
		int nr = seccomp_syscall_resolve_name(r->name);
		if (nr == __NR_SCMP_ERROR || r->action == def)
			continue;
		if ((rc = seccomp_rule_add_array(ctx, r->action, nr, r->n, r->args)))
			refused(r->name, rc);
	}
	if ((rc = seccomp_export_bpf(ctx, fd)))
		refused("export", rc);
	seccomp_release(ctx);
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		const struct scmp_version *v = seccomp_version();
		printf("%u.%u.%u\n", v->major, v->minor, v->micro);
		return 0;
	}
	if (argc != 3)
		die("usage: harness LEVEL TIMES <rules", -EINVAL);
	int level = atoi(argv[1]), times = atoi(argv[2]), fd = open("/dev/null", O_WRONLY);
	int rc = seccomp_api_set(6); // valgrind answers ENOSYS when libseccomp asks what there is
	if (rc)
		die("set the API level", rc);
	read_rules();
	if (times)
		compile(level, fd);
	else
		times = 1;
	CALLGRIND_ZERO_STATS;
	for (int i = 0; i < times; i++)
		compile(level, fd);
	CALLGRIND_DUMP_STATS;
	printf("libseccomp %d\n", times);
	return 0;
}
