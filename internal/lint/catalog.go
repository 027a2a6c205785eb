package lint

// An Entry is a kind of finding.
type Entry struct {
	ID string
	// Severity is the usual severity. A finding can have another one for some
	// consumers, or if the profile is worse or better than usual.
	Severity Severity
	// Title names the problem in a few words; Why explains in sentences why it matters.
	Title, Why string
	// Fix is the cure for findings that have no better one of their own.
	Fix string
}

// Catalog returns all kinds of findings, sorted by ID. The caller may change the slice.
func Catalog() []Entry { return append([]Entry(nil), catalog[:]...) }

// entry returns the entry of an ID that exists.
func entry(id string) *Entry {
	for i := range catalog {
		if catalog[i].ID == id {
			return &catalog[i]
		}
	}
	panic("lint: BUG: no entry for " + id)
}

// catalog is in the order of the IDs.
var catalog = [...]Entry{
	{
		"absent", Error, "a call that some target ABI lacks",
		"ABIs do not have the same calls: aarch64 has openat and no open. A name that an ABI lacks says nothing there, and profiles for several ABIs have such names on purpose. " +
			"--exact makes them errors, for profiles in which every rule should hold everywhere.",
		"remove the name, or leave out the ABI",
	},
	{
		"address", Warning, "a condition on an address",
		"A filter sees the registers of a call, not the memory that they point to. A condition on a path, a structure or a buffer therefore compares its address, not its contents. " +
			"Only a comparison with 0, the null pointer, is meaningful.",
		"remove the condition, or the whole rule if it was meant to match contents",
	},
	{
		"always-true", Warning, "a condition that always holds",
		"Every value is at least 0, and no value has a bit in an empty mask. As far as this condition is concerned, the rule applies to every call with its name.",
		"remove the condition, or correct its value",
	},
	{
		"any-of", Warning, "an argument tested more than once",
		"All conditions of a rule must hold, with one historical exception: if two of them test the same argument, runtimes turn every condition of the rule into a rule of its " +
			"own, and any one of them is enough. Two comparisons meant as a range then match everything, and conditions on other arguments no longer apply. Several SCMP_CMP_EQ " +
			"conditions on a single argument are the one good use of this, and are not reported.",
		"write one rule for each allowed combination, or test the range with a mask",
	},
	{
		"artifact", Error, "not the artifact that runtimes expect",
		"By KEP-6061, Kubernetes has the runtime pull a profile from a registry: an OCI image manifest whose config, or with an empty config whose artifactType, has the media type " +
			ArtifactType + ", and exactly one layer, which is the profile's JSON as it is and not in an archive. If anything is wrong, the runtime refuses the profile for good, and the pod fails.",
		"push it again, such as with spoc push, or oras push --artifact-type",
	},
	{
		"artifact-conflict", Error, "rules for one call that runtimes do not combine",
		"Of an artifact, runtimes that follow KEP-6061 accept rules with different actions for one call only where libseccomp applies them as written, whatever their order: if each has a single " +
			"condition, and all are SCMP_CMP_EQ on one argument with values that differ in their lower 32 bits, or there are two and one is the opposite of the other.",
		"keep one action for the call, and leave the rest to the default action",
	},
	{
		"artifact-limit", Error, "more than runtimes accept of an artifact",
		"Merging a profile with the node's takes time that grows with its rules, so runtimes that follow KEP-6061 bound artifacts: 1 MiB for the layer and for the config, 128 entries that have the same name, " +
			"1024 names in an entry, and rules as they give them to libseccomp: 256 for a call and 16384 in all. A name counts as often as it is listed. An entry that does what the default does is " +
			"not a rule, and one that tests an argument twice is a rule for each of its conditions. A node's administrator can set another limit in bytes.",
		"list each call once, with fewer conditions",
	},
	{
		"artifact-listener", Error, "a listener that only the node may name",
		"A listener decides about calls, so runtimes that follow KEP-6061 take it from the node's own profile: they refuse artifacts with SCMP_ACT_NOTIFY, listenerPath, listenerMetadata or " +
			"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.",
		"remove it, and allow or deny the calls",
	},
	{
		"artifact-twice", Error, "an architecture or a flag that is listed twice",
		"Runtimes that follow KEP-6061 refuse an artifact in which a list has something twice: most likely, something else was meant.",
		"remove one of the two",
	},
	{
		"baseline", Error, "weaker than the baseline",
		"By KEP-6061, runtimes intersect a profile from a registry with the node's baseline, and with the base profile that a pod may name. What the profile allows and the baseline does not stays denied, " +
			"and only the runtime's log says so. seccompile diff --weaker lists all such calls. The comparison is proved, for every call and every argument, by the kernel's order of actions. It leaves out the ENOSYS that runc gives to newer calls, " +
			"which is added to the result of the intersection, and error numbers, of which the baseline's counts.",
		"deny the calls, or run the program on nodes whose baseline allows them",
	},
	{
		"baseline-abi", Error, "an ABI that only one of profile and baseline is for",
		"Runtimes that follow KEP-6061 intersect the lists of architectures, too, after adding the host's own to each. Calls through an ABI that one of them lacks get KILL_THREAD. That is a note if the " +
			"profile lacks it, since a profile may be stricter.",
		"list the same ABIs of each kernel in both",
	},
	{
		"clone3-error", Warning, "an error that stops programs from making threads",
		"glibc since 2.34 makes threads and processes with clone3, and falls back to clone if the error is ENOSYS. At any other error pthread_create and posix_spawn fail: Python " +
			"says \"can't start new thread\". Filters cannot see the flags of clone3, so it cannot be allowed where clone is limited.",
		"answer clone3 with ENOSYS: errnoRet 38",
	},
	{
		"contradiction", Error, "two rules that contradict each other",
		"Two rules for the same call have the same conditions and different actions. Runtimes apply one of them, and which one depends on the release.",
		"remove one of the two",
	},
	{
		"defect", Note, "a fault of seccompile that its proof caught",
		"The optimised filter of this profile was wrong. The proof refuted it, and a longer one that is proved takes its place.",
		"nothing in the profile: please report it to the authors of seccompile",
	},
	{
		"deny-list", Note, "everything is allowed except what is named",
		"New Linux releases add system calls, and a profile whose default action is SCMP_ACT_ALLOW allows them all.",
		"list what the program needs, and make SCMP_ACT_ERRNO the default action",
	},
	{
		"dialects-differ", Warning, "a line that another dialect reads in another way",
		"Nothing in the text says which dialect it is written in. Under the tool of the other one, the line allows what it denies here.",
		"write it so that both dialects read it alike, as docs/languages says",
	},
	{
		"dropped", Warning, "a denial that another rule undoes",
		"Runtimes drop a rule whose action equals the default action before they compare rules, because libseccomp refuses such a rule. If another rule for the same call is wider, " +
			"that one decides alone: denying one address family has no effect next to a rule that allows all sockets.",
		"narrow the other rule to what you want to allow",
	},
	{
		"duplicate", Note, "a rule that is listed twice",
		"The profile already lists this name with the same conditions and the same action. The second entry has no effect.",
		"remove one of the two",
	},
	{
		"errno-range", Error, "an error number that libseccomp refuses",
		"The kernel's error numbers end at 4095. libseccomp cuts the number to 16 bits and accepts it up to 4094; above that, runtimes that use libseccomp refuse the whole " +
			"profile.",
		"use the number of an existing error",
	},
	{
		"errno-zero", Warning, "a denial that looks like success",
		"Error 0 means success: the kernel skips the call and tells the program that it worked. A program that relies on the result fails later, in some other place.",
		"use another error, such as 1 for EPERM",
	},
	{
		"ignored", Warning, "a line or value that has no effect",
		"The tool whose language this is goes on without the line or the value, often with a line in its log only. What it should deny is allowed then.",
		"correct it, or remove it",
	},
	{
		"ignored-args", Warning, "conditions that crun ignores",
		"A call has six arguments, and crun up to 1.29 reads only the first six conditions of a rule, whichever arguments they test. The rule matches more than it says.",
		"split the rule",
	},
	{
		"ignored-errno", Warning, "an error number on an action that takes none",
		"Only SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry a number. The specification asks runtimes to refuse a number on other actions: crun does, runc ignores the number.",
		"remove the number, or use SCMP_ACT_ERRNO",
	},
	{
		"ignored-key", Error, "a key that the consumer does not know",
		"The formats of Docker and Podman have keys that plain OCI profiles lack, and each has some that the other lacks. A program that expects another format silently ignores " +
			"them, and so loses conditions, ABIs or error numbers. containerd reads plain OCI profiles only, and so does Kubernetes with containerd; CRI-O reads Podman's format.",
		"write the file in the consumer's format",
	},
	{
		"invalid", Error, "a value that the format does not allow",
		"Something is missing, misspelt, out of range or of the wrong type. Some runtimes would refuse the profile; others would start without the rule.",
		"correct the value",
	},
	{
		"kill-thread", Note, "one thread is killed, not the process",
		"SCMP_ACT_KILL and SCMP_ACT_KILL_THREAD end only the thread that makes the call. The other threads go on, and often wait for it forever. Go and Java start threads even for " +
			"programs that do not ask for any.",
		"use SCMP_ACT_KILL_PROCESS",
	},
	{
		"letter-case", Warning, "a key in the wrong letter case",
		"Programs in Go, such as Docker, Podman and runc, take a key whatever its letter case. crun and youki compare it letter by letter, and ignore what they do not know. Strict " +
			"mode, --for crun and --for youki make this an error.",
		"write the key as the format spells it",
	},
	{
		"limited", Warning, "a needed call that is allowed only under conditions",
		"A program that cannot do without a call fails if it makes it with arguments that the profile does not allow. Conditions are not reported where the arguments are known and " +
			"satisfy them, as the flags that a new thread passes to clone satisfy those that keep namespaces closed. This is an error if no program can start, a warning if the " +
			"runtime, every program or every thread needs the call, and a note if some programs do.",
		"allow the call whatever its arguments, or make sure that programs pass no others",
	},
	{
		"listener", Warning, "notifications and listener do not match",
		"SCMP_ACT_NOTIFY needs a program that answers at listenerPath, and listenerPath is of use only to a rule that notifies. If one is set without the other, runtimes differ in " +
			"what they do.",
		"set both or neither",
	},
	{
		"log-default", Warning, "everything is allowed and logged",
		"SCMP_ACT_LOG lets the call proceed. As a default action it helps to find out what a program needs; it does not confine the program.",
		"make SCMP_ACT_ERRNO the default action when the list is complete",
	},
	{
		"lost-condition", Warning, "conditions that a multiplexer hides",
		"On some ABIs socketcall and ipc stand in for many calls and take their arguments from memory, where filters cannot look. Only the number of the multiplexed call can be " +
			"tested, so a rule with conditions matches more, or another rule less, than it says.",
		"leave that ABI out, or deny the multiplexer and accept that old 32-bit programs fail",
	},
	{
		"lost-flags", Note, "an empty list of flags gets lost",
		"If flags is absent, the runtime sets SECCOMP_FILTER_FLAG_SPEC_ALLOW; if it is an empty list, the runtime sets no flags. Programs that write a config.json for the runtime " +
			"leave out an empty list.",
		"name a flag, such as SECCOMP_FILTER_FLAG_LOG, if SPEC_ALLOW must not be set",
	},
	{
		"mixed-byte-order", Error, "ABIs of both byte orders",
		"A filter has the byte order of the kernel that it is for, and a kernel has only one.",
		"write one profile for each byte order, or use archMap",
	},
	{
		"never-true", Warning, "a condition that never holds",
		"No value is below 0 or above the maximum. The rule has no effect.",
		"correct the value, or remove the rule",
	},
	{
		"no-argument", Warning, "a condition on an argument that the call does not have",
		"Registers beyond the arguments of a call hold whatever the program left there. A condition on one of them holds by chance.",
		"correct the index: arguments count from 0",
	},
	{
		"no-bound", Warning, "new calls do not get ENOSYS",
		"Like runc, seccompile answers ENOSYS to every number above the largest one that the profile names, so that programs conclude that the kernel lacks the call. A profile " +
			"that names no number has no such bound.",
		"name the calls that the program needs on this ABI",
	},
	{
		"no-enosys", Warning, "new calls fail with the wrong error",
		"Programs try new calls and fall back to old ones on ENOSYS; any other error they treat as a failure. runc answers ENOSYS to calls that are newer than the profile. crun " +
			"and youki do not, so profiles for them should make ENOSYS the default error and give EPERM only to calls that they name, as Podman's own profile does.",
		"make ENOSYS (38) the default error and name the calls that should fail with EPERM",
	},
	{
		"no-futex", Warning, "threads that cannot wait for each other",
		"Threads call futex when they contend for a lock, which depends on timing: a program without it works in one run, and hangs or dies in the next. So do Go's and Java's " +
			"runtimes, whatever the program does.",
		"allow futex",
	},
	{
		"no-names", Warning, "a rule that names no call",
		"runc accepts such a rule and ignores it. crun and youki refuse the whole profile if names is absent, and ignore the rule if it is an empty list.",
		"name a system call, or remove the rule",
	},
	{
		"no-sigreturn", Warning, "programs that cannot return from a signal",
		"A program returns from the handler of a signal with rt_sigreturn, which C libraries call out of sight. Signals come when they come, so a program works until the first one. " +
			"Go's runtime sends signals to its own threads, whatever the program does.",
		"allow rt_sigreturn",
	},
	{
		"no-vdso", Warning, "calls that programs make on some machines only",
		"The kernel maps a library into each program, the vDSO, that tells the time without a system call, and recordings show none. Where the machine's clock cannot be read from " +
			"user space, as on some virtual machines, or for clocks that the vDSO does not have, it makes the call after all. The warning is a note if only calls are missing that few " +
			"programs use.",
		"allow the calls",
	},
	{
		"notify-default", Error, "SCMP_ACT_NOTIFY as default action",
		"runc would notify the listener of its own calls and wait for itself, so it refuses the profile.",
		"notify for named calls only",
	},
	{
		"notify-write", Error, "SCMP_ACT_NOTIFY for write",
		"After installing the filter, runc uses write to pass on the listener's file descriptor, so it refuses the profile.",
		"notify for other calls only",
	},
	{
		"open-abi", Error, "other ABIs are allowed everything",
		"A kernel runs programs of several ABIs, and each ABI has its own numbers. If the filter allows calls through ABIs that it does not know, a program can use one of them to " +
			"bypass every rule.",
		"kill the process instead",
	},
	{
		"open-io-uring", Warning, "io_uring bypasses a rule",
		"A program puts requests into a ring that it shares with the kernel, and the kernel opens files or creates sockets without a system call. A filter sees at most " +
			"io_uring_enter.",
		"deny io_uring_setup",
	},
	{
		"open-mips", Warning, "MIPS numbers of other ABIs are allowed",
		"A MIPS kernel accepts the numbers of all three ABIs from any program. A profile that allows by default and denies a call on one ABI still allows the same call under its " +
			"numbers on the other two.",
		"deny by default, or compile with --compat strict",
	},
	{
		"open-namespace", Warning, "some kinds of namespaces are left open",
		"A rule keeps clone or unshare from making some kinds of namespaces, but not others. A user namespace gives its maker all capabilities in it, and so all other kinds. This is " +
			"a note if user namespaces are denied and the profile allows by default or leaves only CLONE_NEWCGROUP, as Docker's did until 2020: the other kinds then need CAP_SYS_ADMIN.",
		"deny all of them, with the mask 2114060288",
	},
	{
		"open-twin", Warning, "another call does the same",
		"Linux has several calls for many purposes: openat for open, clone3 for clone, chown32 for chown. A rule for one of them, or for its arguments, does not restrict the " +
			"others. Some of them, such as clone3 and openat2, take their arguments from memory: answer those with ENOSYS, and programs fall back to the older call, whose arguments " +
			"can be tested.",
		"restrict the other call as well",
	},
	{
		"other-abis", Note, "programs of another ABI cannot run",
		"A 64-bit kernel also runs 32-bit programs, which use the numbers of their own ABI. A call through an ABI that the profile does not name ends the thread, so such programs " +
			"die at their first call. That is safe, and correct if there are none.",
		"name the ABI in architectures or archMap",
	},
	{
		"overlap", Warning, "two rules that match the same call",
		"The conditions of two rules with different actions overlap. Which rule wins depends on operators and values, not on the order in the file.",
		"make the conditions exclude each other",
	},
	{
		"podman-validator", Note, "an action that containers/common does not know",
		"ValidateProfile of containers/common, which tools around Podman call, refuses SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD and SCMP_ACT_NOTIFY. Podman itself passes them " +
			"to the runtime.",
		"use SCMP_ACT_KILL or SCMP_ACT_ERRNO if you use such a tool",
	},
	{
		"redundant", Note, "a rule that does what the default does",
		"The rule does not change any verdict. Its names still count for the bound above which calls get ENOSYS, and profiles have such rules on purpose.",
		"leave it, or remove it",
	},
	{
		"runtime-start", Error, "the runtime itself cannot continue",
		"Runtimes install the filter before they execute the program, and make some calls in between. With no_new_privs they install it last; without, they need privileges to " +
			"install it and have to drop them afterwards. Kubernetes sets no_new_privs with allowPrivilegeEscalation: false, Docker and Podman with --security-opt no-new-privileges. " +
			"The calls listed are those that, denied one at a time, stopped the named release from starting a container on x86_64, or denied together where one can replace the other; other " +
			"releases may need more, or fewer. What is needed only without no_new_privs is an error where config.json or the consumer's default leaves that unset, and else a warning. What " +
			"only an older release needs is a warning.",
		"allow the calls",
	},
	{
		"start", Error, "programs cannot start",
		"The dynamic loader, the C library and Go's runtime make calls before the program makes its own first one. The calls reported are those that, denied one at a time, stopped " +
			"an empty program from starting on x86_64 with glibc 2.36, musl 1.2.3 and Go 1.26. If a denied call kills, calls that may fail but are always made count as well. This " +
			"is an error if no program at all can start. It is a warning if none can end, if none of these kinds can start, or if those cannot that the profile seems to be for, judging by other " +
			"calls that they make as they start. For the other kinds it is a note. A filter that a program installs on itself need not let programs start: --start=false says so.",
		"allow the calls",
	},
	{
		"stray-bits", Warning, "a value outside its mask",
		"For SCMP_CMP_MASKED_EQ, value is the mask and valueTwo is what the masked argument must equal. Bits of valueTwo outside the mask are ignored.",
		"correct one of them",
	},
	{
		"swapped-mask", Warning, "a mask and a value that have changed places",
		"For SCMP_CMP_MASKED_EQ, value is the mask and valueTwo is what the masked argument must equal. With the two swapped, bits of valueTwo are ignored, and the rule matches more " +
			"than it says: every call if value is 0, which is an error. The name of a mode, such as an option of prctl, is not a mask either.",
		"swap value and valueTwo",
	},
	{
		"syntax", Error, "not JSON",
		"Nothing after the first mistake can be trusted, so only that one is reported.",
		"correct the text",
	},
	{
		"trace", Note, "a tracer is needed",
		"SCMP_ACT_TRACE asks a program that is attached with ptrace. Container runtimes do not attach one, so the call fails with ENOSYS.",
		"use SCMP_ACT_ERRNO, or SCMP_ACT_LOG to allow and log",
	},
	{
		"truncated", Warning, "a value that is cut off",
		"Arguments have 32 bits on 32-bit ABIs, and error numbers have 16. The rule compares with, or returns, something other than it says.",
		"use a value that fits",
	},
	{
		"two-errnos", Warning, "two error values that disagree",
		"Podman's format takes an error by name, in errno, or by number, in errnoRet. The name wins. Programs that know only the number use the number.",
		"remove one, or make them agree",
	},
	{
		"uncompilable", Error, "a filter that the kernel would refuse",
		"The kernel accepts at most 4096 instructions.",
		"shorten the profile",
	},
	{
		"unknown-condition", Warning, "a condition that never holds",
		"A capability or architecture in includes or excludes does not exist under this name. A rule that includes it never applies; a rule that excludes it always does.",
		"correct the name",
	},
	{
		"unknown-errno", Error, "an error that Podman does not know",
		"Podman has its own list of error names, which lacks some that Linux has, and refuses profiles that use others.",
		"give the number in a string",
	},
	{
		"unknown-key", Warning, "a key that the format does not know",
		"The key has no effect. The specification requires unknown keys to be ignored, so runtimes do not report them.",
		"remove the key, or correct it",
	},
	{
		"unknown-name", Warning, "a call that does not exist",
		"No ABI has a call with this name. Runtimes silently skip it: calls it should allow are denied, and calls it should deny are allowed.",
		"correct the name, or remove it",
	},
	{
		"unreachable", Warning, "a rule that never decides",
		"The first rule without conditions for a call decides every such call, whatever the other rules say and wherever they stand.",
		"remove one or the other",
	},
	{
		"unsupported-arch", Error, "an architecture that the runtime does not know",
		"runc 1.5 knows 18 of the 23 architectures of the specification, and neither runc nor crun knows SCMP_ARCH_NATIVE. They refuse the whole profile.",
		"remove the architecture from the list",
	},
	{
		"unsupported-flag", Warning, "flags that a release of runc refuses",
		"runc 1.1, which Debian 12 has, refuses every profile that has flags, whichever: \"seccomp flags are not yet supported by runc\". runc 1.2 and later accept them.",
		"remove flags, or use runc 1.2 or later",
	},
	{
		"unused-metadata", Warning, "metadata for a listener that does not exist",
		"The runtime sends listenerMetadata to the listener at listenerPath. The specification forbids it without listenerPath, and runc ignores it.",
		"add a listenerPath, or remove listenerMetadata",
	},
	{
		"unused-value", Warning, "a second value that is ignored",
		"Only SCMP_CMP_MASKED_EQ uses two values. There is no operator for a range.",
		"remove valueTwo, or use SCMP_CMP_MASKED_EQ",
	},
	{
		"upper-half", Warning, "a bit that the kernel ignores bypasses a rule",
		"Registers have 64 bits on 64-bit ABIs, and a filter compares all of them. If the kernel treats an argument as an int, it ignores the upper half. A rule that denies one " +
			"value, or allows all values but one, misses the same value with a bit set in the upper half (CVE-2019-7303, CVE-2019-10063). Rules that allow single values, or all values " +
			"below a bound, are safe.",
		"deny with SCMP_CMP_MASKED_EQ and the mask 4294967295, or allow single values only",
	},
	{
		"wrong-file", Error, "a whole config.json instead of a profile",
		"A program that expects a profile finds neither a default action nor rules in a config.json, treats that as no profile, and confines nothing.",
		"pass it the object at /linux/seccomp",
	},
	{
		"x32-numbers", Note, "a call under another number on old kernels",
		"Until Linux 5.4, x86_64 kernels with x32 built in had one table for both ABIs. A program could make calls that have their own number on x32 by that number without the x32 " +
			"bit.",
		"deny by default, or run on Linux 5.4 or later",
	},
}
