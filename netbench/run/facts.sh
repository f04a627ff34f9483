# What an endpoint is, as "key=value" lines; for any POSIX sh. Arguments: ADDRESS PORTS TOOLS PLACES (space-separated lists).
# What cannot be found is left out; nothing is changed but a directory made and removed to find a place to work in.
address=$1 ports=$2 tools=$3 places=$4
say() { [ -z "$2" ] || tell "$1=$2"; }
joined() { # the first lines, as one
  between=
  sed 100q | while read -r line; do printf '%s%s' "$between" "$line" && between='; '; done
}

missing=
for tool in sh sed sleep mkdir rmdir rm wc cat mv ls readlink $tools; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
say missing "$missing"
reasons=
for place in $places; do
  if home "$place"; then
    if room; then
      leave
      say workdir "$place"
      break
    fi
    why="full, or cannot be written to"
    leave
  fi
  reasons="$reasons$place: $why; "
done
say noworkdir "${reasons%; }"
for port in $ports; do
  hex=$(printf %04X "$port")
  [ -z "$(sed -n "s/^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F:]* 0A .*/$port/p" /proc/net/tcp /proc/net/tcp6 2>/dev/null)" ] ||
    say port_taken "$port"
done
# the lowest rights that a server works with: nobody's, where that user may start it and has a place for its buffers, and
# where root may still look at its sockets: in a container it may not, unless that has CAP_SYS_PTRACE (bit 19)
if [ "$me" = 0 ] && [ $(((0x$rights >> 19) & 1)) = 1 ]; then
  case " $tools " in *" iperf3 "*)
    setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs sh -c 'iperf3 -v >/dev/null && test -w /tmp' \
      >/dev/null 2>&1 && say server_user 65534
    ;;
  esac
fi

say kernel "$(uname -r)"
say arch "$(uname -m)"
say os "$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release 2>/dev/null)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | sed 1q)"
say cpus "$(nproc 2>/dev/null)"
say iperf3 "$(iperf3 -v 2>/dev/null | sed -n '1s/^iperf \([^ ]*\).*/\1/p')"
say ping "$(ping -V 2>&1 | sed -n 's/^ping from //p; s/^\(BusyBox v[^ ]*\).*/\1/p' | sed 1q)"
read -r congestion </proc/sys/net/ipv4/tcp_congestion_control && say congestion_control "$congestion"
say machine "$(sed 1q /sys/class/dmi/id/product_name 2>/dev/null)"

# the NIC is the device that holds the data-plane address; behind a translated address, the default route's
device=$(ip -o addr show to "$address" 2>/dev/null | sed -n '1s/^[0-9]*: \([^ @:]*\).*/\1/p')
[ -z "$device" ] || say server_address "$address"
[ -n "$device" ] || device=$(sed -n 's/^\([^ \t]*\)[ \t]00000000[ \t].*/\1/p' /proc/net/route 2>/dev/null | sed 1q)
if [ -n "$device" ]; then
  nic=/sys/class/net/$device
  say nic "$device"
  say mac "$(cat "$nic/address" 2>/dev/null)"
  say mtu "$(cat "$nic/mtu" 2>/dev/null)"
  driver=$(readlink "$nic/device/driver" 2>/dev/null)
  driver=${driver##*/}
  [ -n "$driver" ] || driver=$(ethtool -i "$device" 2>/dev/null | sed -n 's/^driver: //p')
  say nic_driver "$driver"
  queues=0
  for queue in "$nic"/queues/tx-*; do [ ! -e "$queue" ] || queues=$((queues + 1)); done
  say queues "$queues"
  say speed "$(cat "$nic/speed" 2>/dev/null)"

  # evidence, as the tools print it: what it means is worked out where it is judged (BusyBox's ip has no -d)
  link=$(ip -d -o link show dev "$device" 2>/dev/null) || link=$(ip -o link show dev "$device" 2>/dev/null)
  say seen.link "$link"
  say seen.index "$(cat "$nic/ifindex" 2>/dev/null) $(cat "$nic/iflink" 2>/dev/null)"
  say seen.devtype "$(sed -n 's/^DEVTYPE=//p' "$nic/uevent" 2>/dev/null)"
  [ ! -e "$nic/device" ] || say seen.parent "$(readlink "$nic/device/subsystem" 2>/dev/null || echo device)"
  addresses=$(ip -o addr show to "$address" 2>/dev/null)
  [ -n "$addresses" ] || addresses=$(ip -o addr show dev "$device" 2>/dev/null) # an address given as a name
  say seen.address "$(printf '%s\n' "$addresses" | sed 1q)"
  say seen.routes "$(ip route show 2>/dev/null | joined)"
  say seen.proc_routes "$(sed 1d /proc/net/route 2>/dev/null | joined)"
  say seen.qdiscs "$(tc qdisc show dev "$device" 2>/dev/null | joined)"
  say seen.offloads "$(ethtool -k "$device" 2>/dev/null | sed -n 's/^\([a-z-]*\(offload\|checksumming\): [a-z]*\).*/\1/p' | joined)"
fi
links=
for each in /sys/class/net/*; do
  read -r own <"$each/ifindex" && read -r other <"$each/iflink" && links="$links${links:+; }${each##*/} $own $other"
done 2>/dev/null
say seen.links "$links"
finish 0
