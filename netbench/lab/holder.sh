# First process of a node's or a pod's namespaces: gives them what is theirs alone, then holds them.
# Arguments: node|pod NAME DIRECTORY, which holds an empty "run" and, for a node, "ssh", what its sshd works with.
set -e
role=$1 name=$2 directory=$3
# /proc is still the lab's here: that is the pid by which the lab knows this process
read -r pid rest </proc/self/stat

cd /
hostname "$name"
mount -n -t proc proc /proc
mount -n -t sysfs sysfs /sys
[ "$role" = node ] && echo 1 >/proc/sys/net/ipv4/ip_forward

# What is below / is the machine's: nobody in here writes to it. The new /run is filled before it hides the old one,
# which may be where DIRECTORY is.
mount -n -t tmpfs -o mode=755 tmpfs "$directory/run"
[ "$role" = pod ] || cp -r "$directory/ssh" "$directory/run/lab"
mkdir "$directory/run/sshd"
mount -n --move "$directory/run" /run
mount -n -t tmpfs -o mode=1777 tmpfs /tmp
mount -n -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -n -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -n -t tmpfs -o mode=700 tmpfs /root
mount -n -o remount,bind,ro /
ip link set lo up

echo "$pid"
exec >&2
[ "$role" = node ] || exec sleep infinity # which, like the first process of many an image, does not reap
/usr/sbin/sshd -D -e -f /run/lab/sshd_config &
while :; do # a shell that waits reaps whatever ends
  sleep infinity &
  wait $!
done
