package lint

// What the checks know about calls. The lists are strings because those cost nothing at
// start-up.

// placing are the calls whose subject is an address.
const placing = `arch_prctl brk madvise mbind migrate_pages mincore mlock mlock2 mmap mmap2 mprotect mremap mseal msync
	munlock munmap pkey_mprotect remap_file_pages set_thread_area shmat shmdt`

// ringCalls are calls that io_uring makes without a system call, since Linux 5.19 at the
// latest (linux/io_uring.h: enum io_uring_op).
const ringCalls = `accept accept4 connect fsetxattr linkat mkdirat openat openat2 recvmsg renameat2 sendmsg
	setxattr socket symlinkat unlinkat`

// twins are calls that can do what another one does, so restricting that one alone is in
// vain. The first word of each is the call; the others can do its work.
const twins = `
chmod fchmod fchmodat fchmodat2
fchmodat chmod fchmod fchmodat2
fchmodat2 chmod fchmod fchmodat
chown chown32 lchown lchown32 fchown fchown32 fchownat
chown32 chown lchown lchown32 fchown fchown32 fchownat
fchownat chown chown32 lchown lchown32 fchown fchown32
clock_settime clock_settime64 settimeofday stime
clock_settime64 clock_settime settimeofday stime
settimeofday clock_settime clock_settime64 stime
stime clock_settime clock_settime64 settimeofday
clock_adjtime clock_adjtime64 adjtimex
adjtimex clock_adjtime clock_adjtime64
clone clone3
clone3 clone
fork clone clone3 vfork
vfork clone clone3 fork
unshare clone clone3
creat open openat openat2
open openat openat2
openat open openat2
openat2 open openat
execve execveat
execveat execve
fcntl fcntl64
fcntl64 fcntl
init_module finit_module
finit_module init_module
ioperm iopl
kexec_load kexec_file_load
kexec_file_load kexec_load
kill tkill tgkill rt_sigqueueinfo pidfd_send_signal
link linkat
linkat link
mkdir mkdirat
mkdirat mkdir
mknod mknodat
mknodat mknod
mmap mmap2
mmap2 mmap
mount move_mount
mprotect pkey_mprotect
pkey_mprotect mprotect
process_vm_readv ptrace
process_vm_writev ptrace
quotactl quotactl_fd
removexattr lremovexattr fremovexattr removexattrat
rename renameat renameat2
renameat rename renameat2
renameat2 rename renameat
rmdir unlinkat
setgid setgid32 setresgid setresgid32
setrlimit prlimit64
setuid setuid32 setresuid setresuid32
setxattr lsetxattr fsetxattr setxattrat
symlink symlinkat
symlinkat symlink
truncate truncate64 ftruncate ftruncate64
umount umount2
umount2 umount
unlink unlinkat
unlinkat unlink rmdir
utimensat utimensat_time64 utimes futimesat utime`

// narrow are arguments of 32 bits: the kernel ignores the upper half of the register,
// which a filter on a 64-bit ABI compares (kernel: the SYSCALL_DEFINE of each). Behind
// each call are the indices of such arguments.
const narrow = `
accept4 3
arch_prctl 0
bpf 0
faccessat 2
fanotify_init 0
fcntl 1
fsmount 1
fsopen 1
futex 1
getsockopt 1 2
io_uring_register 1
io_uring_setup 0
ioctl 1
keyctl 0
kill 0 1
madvise 2
membarrier 0
memfd_create 1
modify_ldt 0
move_mount 4
open 1 2
openat 2 3
personality 0
prctl 0
prlimit64 1
quotactl 0
reboot 0 1 2
renameat2 4
sched_setscheduler 1
seccomp 0 1
sendmsg 2
sendto 3
setns 1
setrlimit 0
setsockopt 1 2
socket 0 1 2
socketpair 0 1 2
syslog 0
tgkill 0 1 2
timerfd_create 0
tkill 0 1
umount2 1`

// podmanErrnos are the names that Podman knows (containers/common:
// pkg/seccomp/errno_list.go).
const podmanErrnos = `
	E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED ECHILD
	ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST EFAULT EFBIG EHOSTDOWN
	EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINVAL EIO EISCONN EISDIR ELOOP EMEDIUMTYPE EMFILE EMLINK EMSGSIZE
	ENAMETOOLONG ENETDOWN ENETRESET ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOEXEC ENOLCK ENOMEDIUM ENOMEM
	ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTBLK ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY
	ENXIO EOPNOTSUPP EOVERFLOW EOWNERDEAD EPERM EPFNOSUPPORT EPIPE EPROTONOSUPPORT EPROTOTYPE ERANGE EREMOTE EROFS
	ESHUTDOWN ESOCKTNOSUPPORT ESPIPE ESRCH ESTALE ETIMEDOUT ETOOMANYREFS ETXTBSY EUSERS EXDEV`
