# Boots the systemd of the directory $1 as pid 1 of the namespaces that this runs in, which
# unshare(1) made: pid, mount, uts, ipc and net. $2 is the cgroup to run in and $3 a directory
# with etc/, which goes over that of the root, and log, a pipe for what systemd says.
# All mounts are private and end with the namespaces.
set -eu
if [ "${4:-}" != inside ]; then
	echo 0 >"$2/cgroup.procs"
	exec unshare --cgroup sh "$0" "$1" "$2" "$3" inside
fi
mount --make-rprivate /
mount -t tmpfs tmpfs "$3/tree" # so that what systemd writes stays out of the directory $1
mkdir "$3/tree/upper" "$3/tree/work" "$3/tree/merged"
mount -t overlay -o "lowerdir=$3/over:$1,upperdir=$3/tree/upper,workdir=$3/tree/work" overlay "$3/tree/merged"
cd "$3/tree/merged"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
: >dev/kmsg
mount --bind "$3/log" dev/kmsg
pivot_root . mnt
exec setpriv --bounding-set -sys_time,-sys_module,-syslog -- \
	chroot . /bin/sh -c 'umount -l /mnt && exec env -i container=lxc PATH=/usr/sbin:/usr/bin SYSTEMD_LOG_TARGET=kmsg \
	SYSTEMD_LOG_RATELIMIT_KMSG=0 /usr/lib/systemd/systemd --log-target=kmsg --show-status=no --unit=live.target' </dev/null
