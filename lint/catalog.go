package lint

// An Entry is a kind of finding.
type Entry struct {
	ID string
	// Severity is the usual one. It can be another for some consumer, or where a
	// profile is worse or better than usual.
	Severity Severity
	// Title says what it is about in a few words, and Why why that matters, in
	// sentences.
	Title, Why string
	// Fix is what to do where a finding says nothing better.
	Fix string
}

// Catalog returns all kinds of findings, by ID. The slice is fresh.
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
		"address", Warning, "a condition on an address",
		"A filter sees the registers of a call and not the memory that they point to, so that a condition on a path, a structure or a buffer compares where it is, not what it is. " +
			"Only a comparison with 0, the null pointer, means anything.",
		"remove the condition, or the rule if it is meant for certain contents",
	},
	{
		"always-true", Warning, "a condition that always holds",
		"Any value is at least 0, and any value has none of the bits of an empty mask. The rule then applies to every call of its name, as far as this condition goes.",
		"remove the condition, or correct its value",
	},
	{
		"any-of", Warning, "an argument that is tested more than once",
		"Conditions of one rule must all hold, but if one argument occurs in two of them, runtimes make every condition of the rule a rule of its own, for historical reasons: then any one suffices. " +
			"A range of two comparisons so becomes everything, and a second argument is no longer asked for. Several SCMP_CMP_EQ on one argument alone are what this is good for, and are not reported.",
		"write a rule for each allowed combination, or test a range with a mask",
	},
	{
		"contradiction", Error, "two rules that contradict each other",
		"Two rules on the same call have the same conditions and different actions. Runtimes take one of them, and which one depends on the release.",
		"remove one of the two",
	},
	{
		"deny-list", Note, "everything is allowed but what is named",
		"Linux gets new calls with every few releases, and a profile whose default action is SCMP_ACT_ALLOW allows them all.",
		"list what the program needs instead, with SCMP_ACT_ERRNO as default action",
	},
	{
		"dropped", Warning, "a denial that another rule undoes",
		"A rule whose action is that of the default is dropped before rules are compared, because runtimes have libseccomp refuse it otherwise. Where another rule on the same call is wider, that one decides " +
			"alone: a denial of one address family beside a rule that allows all sockets does nothing.",
		"narrow the other rule to what shall be allowed",
	},
	{
		"duplicate", Note, "a rule that is there twice",
		"The same name with the same conditions and the same action has been listed before. The second one does nothing.",
		"remove one of the two",
	},
	{
		"errno-range", Error, "an error number that libseccomp refuses",
		"Error numbers end at 4095 in the kernel. libseccomp takes them up to 4094, after cutting them to 16 bits, and runtimes that use it refuse the whole profile otherwise.",
		"use the number of an error that exists",
	},
	{
		"errno-zero", Warning, "a denial that looks like success",
		"An error of 0 is none: the call is not made, and the program is told that it succeeded. Programs that rely on what they asked for then go wrong later.",
		"use another error, such as 1 for EPERM",
	},
	{
		"ignored-args", Warning, "conditions that crun does not look at",
		"A call has six arguments, and crun up to 1.29 reads the first six conditions of a rule whatever they are about. The rule is wider than it is written.",
		"split the rule",
	},
	{
		"ignored-errno", Warning, "an error number on an action without one",
		"Only SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry a number. The specification wants runtimes to refuse others: crun does, runc ignores the number.",
		"remove the number, or use SCMP_ACT_ERRNO",
	},
	{
		"ignored-key", Error, "a key that the consumer does not know",
		"Docker's format and Podman's have keys that plain OCI profiles do not have, and each has some that the other lacks. A program that reads the file as another format ignores them without a word, so that " +
			"conditions, ABIs or error numbers are lost. containerd, and Kubernetes with it, reads plain OCI profiles only; CRI-O reads Podman's format.",
		"write the file in the consumer's format",
	},
	{
		"invalid", Error, "a value that the format does not allow",
		"Something is missing, of the wrong type, misspelt or out of range. Some runtimes would refuse the profile, others would start without the rule.",
		"correct the value",
	},
	{
		"kill-thread", Note, "one thread is killed, not the process",
		"SCMP_ACT_KILL and SCMP_ACT_KILL_THREAD end the thread that makes the call. The others go on, often waiting for it forever: Go and Java programs have threads without being asked.",
		"use SCMP_ACT_KILL_PROCESS",
	},
	{
		"listener", Warning, "a listener that nobody asks or answers for",
		"SCMP_ACT_NOTIFY needs a program that answers, which listenerPath names, and listenerPath needs a rule that notifies. Runtimes differ in what they do if one is without the other.",
		"set both or neither",
	},
	{
		"log-default", Warning, "everything is allowed and logged",
		"SCMP_ACT_LOG lets the call happen. As default action it is for finding out what a program needs, not for confining it.",
		"use SCMP_ACT_ERRNO as default action when the list is complete",
	},
	{
		"lost-condition", Warning, "conditions that a multiplexer hides",
		"On some ABIs socketcall and ipc do the work of many calls and have their arguments in memory, where filters cannot look. A rule with conditions is then wider, or another one narrower, than it is written: " +
			"only the number of the call behind the multiplexer can be tested.",
		"leave that ABI out, or deny the multiplexer and accept that old 32-bit programs fail",
	},
	{
		"lost-flags", Note, "an empty list of flags that does not arrive",
		"No flags member means that the runtime sets SECCOMP_FILTER_FLAG_SPEC_ALLOW, an empty one that it sets none. Programs that write a config.json for the runtime leave an empty list out.",
		"name a flag, such as SECCOMP_FILTER_FLAG_LOG, if SPEC_ALLOW must not be set",
	},
	{
		"mixed-byte-order", Error, "ABIs of both byte orders",
		"A filter has the byte order of the kernel that it is for, and no kernel has both.",
		"write one profile for each byte order, or use archMap",
	},
	{
		"never-true", Warning, "a condition that never holds",
		"No value is below 0 or above the greatest one. The rule decides nothing.",
		"correct the value, or remove the rule",
	},
	{
		"no-argument", Warning, "a condition on an argument that the call does not have",
		"Registers behind the arguments of a call hold whatever the program left there. A condition on one holds by chance.",
		"correct the index: arguments count from 0",
	},
	{
		"no-bound", Warning, "new calls do not get ENOSYS",
		"Calls with numbers above all that a profile names get ENOSYS, as runc has it, so that programs take them for calls that the kernel does not have. Without any number named there is no such bound.",
		"name the calls that the program needs on this ABI",
	},
	{
		"no-enosys", Warning, "new calls fail with the wrong error",
		"Programs try new calls and fall back to old ones if the error is ENOSYS; any other one they take for a failure. runc gives ENOSYS to calls that are newer than the profile. crun does not, so that " +
			"profiles for it want ENOSYS as default error and EPERM only for calls that they name, as Podman's own has it.",
		"make the default error ENOSYS (38) and name the calls that shall fail with EPERM",
	},
	{
		"notify-default", Error, "SCMP_ACT_NOTIFY as default action",
		"runc would ask the listener about its own calls, and wait for itself. It refuses the profile.",
		"notify for named calls only",
	},
	{
		"notify-write", Error, "SCMP_ACT_NOTIFY for write",
		"runc hands the listener's file descriptor over with write, after the filter is in force. It refuses the profile.",
		"notify for other calls only",
	},
	{
		"open-abi", Error, "other ABIs are allowed everything",
		"Kernels run programs of several ABIs, each with numbers of its own. If calls through an ABI that the filter does not know are allowed, every rule can be got around.",
		"let them kill the process",
	},
	{
		"open-io-uring", Warning, "io_uring gets around a rule",
		"Programs put requests into a ring that they share with the kernel, which then opens files or makes sockets without a system call. A filter sees io_uring_enter at most.",
		"deny io_uring_setup",
	},
	{
		"open-mips", Warning, "MIPS numbers of other ABIs are allowed",
		"MIPS kernels run the numbers of their three ABIs in any program. A profile that allows by default and denies a call on one ABI leaves the call's numbers on the others.",
		"deny by default, or compile with --compat strict",
	},
	{
		"open-twin", Warning, "another call does the same",
		"Linux has several calls for many things: openat for open, clone3 for clone, chown32 for chown. A rule on one of them, or on its arguments, does not hold for the others. Some of those have their arguments in memory: " +
			"clone3, openat2. Let them fail with ENOSYS, and programs take the older call, whose arguments can be tested.",
		"hold the other call back as well",
	},
	{
		"other-abis", Note, "programs of another ABI cannot run",
		"A 64-bit kernel runs 32-bit programs, too, and so needs the numbers of their ABIs. Calls through an ABI that the profile does not name end the thread, so that such programs die with their first call. That is safe, " +
			"and right where there are none.",
		"name the ABI in architectures",
	},
	{
		"overlap", Warning, "two rules that hold for the same call",
		"The conditions of two rules with different actions overlap. Which of them wins depends on the operators and values, not on their order in the file.",
		"make the conditions exclude each other",
	},
	{
		"podman-validator", Note, "an action that containers/common does not know",
		"The function ValidateProfile of containers/common, which tools around Podman call, refuses SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD and SCMP_ACT_NOTIFY. Podman itself hands them on to the runtime.",
		"use SCMP_ACT_KILL or SCMP_ACT_ERRNO where such a tool is in use",
	},
	{
		"redundant", Note, "a rule that does what the default does",
		"It decides nothing. Its names still count for the bound above which calls get ENOSYS, and profiles have such rules on purpose.",
		"leave it, or remove it",
	},
	{
		"runtime-start", Error, "the runtime itself cannot go on",
		"Runtimes put the filter in force before they execute the program, and still need some calls then. With no_new_privs they do it last; without, they need privileges for it, which they have to give up afterwards. " +
			"Kubernetes sets it with allowPrivilegeEscalation: false, Docker and Podman with --security-opt no-new-privileges. The calls are those without which the release named failed to start a container on x86_64 when each was " +
			"denied alone; others may need more, or fewer.",
		"allow the calls",
	},
	{
		"start", Note, "programs cannot start",
		"The dynamic loader, the C library and Go's runtime make calls before the program's own first one. The calls reported are those without which an empty program did not start on x86_64 when each was denied alone, with " +
			"glibc 2.36, musl 1.2.3 and Go 1.26. Where a denied call kills, those that may fail but are always made count, too. With --for it is a warning if none of them can start, and an error if nothing at all can.",
		"allow the calls",
	},
	{
		"stray-bits", Warning, "a value outside its mask",
		"For SCMP_CMP_MASKED_EQ value is the mask and valueTwo what the masked argument must be. Bits of valueTwo outside the mask are dropped. Often the two have been swapped.",
		"swap value and valueTwo, or correct one of them",
	},
	{
		"syntax", Error, "not JSON",
		"Nothing behind the first mistake can be trusted, so only that one is reported.",
		"correct the text",
	},
	{
		"trace", Note, "a tracer is needed",
		"SCMP_ACT_TRACE asks a program that is attached with ptrace. Container runtimes attach none, and then the call fails with ENOSYS.",
		"use SCMP_ACT_ERRNO, or SCMP_ACT_LOG to allow and log",
	},
	{
		"truncated", Warning, "a value that is cut",
		"Arguments have 32 bits on 32-bit ABIs and error numbers 16, so that the rule compares with, or returns, something else than it says.",
		"use a value that fits",
	},
	{
		"two-errnos", Warning, "an error given twice, and not the same",
		"Podman's format takes an error by name, in errno, or by number, in errnoRet. The name wins. Programs that know only the number do otherwise.",
		"remove one, or make them agree",
	},
	{
		"uncompilable", Error, "a filter that the kernel would not take",
		"The kernel takes at most 4096 instructions.",
		"shorten the profile",
	},
	{
		"unknown-condition", Warning, "a condition that never holds",
		"A capability or architecture in includes or excludes does not exist under this name. A rule that includes it never applies, one that excludes it always does.",
		"correct the name",
	},
	{
		"unknown-errno", Error, "an error that Podman does not know",
		"Podman has a list of its own of error names, without some that Linux has, and refuses profiles with others.",
		"give the number in a string",
	},
	{
		"unknown-key", Warning, "a key that the format does not know",
		"It has no effect. The specification wants unknown keys to be ignored, so that no runtime says so.",
		"remove the key, or correct it",
	},
	{
		"unknown-name", Warning, "a call that does not exist",
		"No ABI has a call of this name. Runtimes skip it without a word: what it was to allow is denied, and what it was to deny is allowed.",
		"correct the name, or remove it",
	},
	{
		"unreachable", Warning, "a rule that never decides",
		"The first rule without conditions on a call decides all of it, whatever the others are and wherever they stand.",
		"remove the one or the other",
	},
	{
		"unsupported-arch", Error, "an architecture that the runtime does not know",
		"runc 1.5 knows 18 of the 23 architectures of the specification, and neither runc nor crun knows SCMP_ARCH_NATIVE. They refuse the whole profile.",
		"remove the architecture from the list",
	},
	{
		"unused-value", Warning, "a second value that is not looked at",
		"Only SCMP_CMP_MASKED_EQ has two values. There is no operator for a range.",
		"remove valueTwo, or use SCMP_CMP_MASKED_EQ",
	},
	{
		"upper-half", Warning, "a bit that the kernel ignores gets around a rule",
		"Registers of 64-bit ABIs have 64 bits, and a filter compares them all. Where the kernel takes an argument for an int it ignores the upper half. A denial of one value, or a permission for all but one, does not hold " +
			"for the same value with a bit set there (CVE-2019-7303, CVE-2019-10063). Permissions for single values and for all below one have no such hole.",
		"deny with SCMP_CMP_MASKED_EQ under the mask 4294967295, or allow single values only",
	},
	{
		"wrong-file", Error, "a whole config.json in place of a profile",
		"A program that wants a profile finds neither a default action nor rules in a config.json, takes that for no profile, and confines nothing.",
		"give it the object at /linux/seccomp",
	},
	{
		"x32-numbers", Note, "a call under another number on old kernels",
		"x86_64 kernels with x32 built in had one table for both ABIs until Linux 5.4. Calls that have a number of their own on x32 could be made by it without the x32 bit.",
		"deny by default, or run it on Linux 5.4 or later",
	},
}
