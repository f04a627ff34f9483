# A remote job of netbench, for any POSIX sh (dash, bash, BusyBox). $0 is "netbench-job"; verbs:
#   start DIR DEADLINE LINGER HEXPORT DEVICE COMMAND...  run COMMAND in a new private directory, report on stdout, clean up
#   fetch DIR                                            wait for a started job and report its result again
#   stop DIR                                             end the job DIR belongs to, and remove DIR
#   find PLACES                                          list this user's job directories in PLACES (space-separated)
# Lines on stdout: "netbench ready", "netbench beat UPTIME TX RX", "netbench frame STATUS OUTBYTES ERRBYTES HOSTBYTES"
# followed by that many bytes of stdout, stderr and snapshots of the machine, and "netbench end"; "netbench gone" and
# "netbench lost" answer a fetch. A find gives "netbench job STATE DIR" with STATE running, ended, or unknown where
# nothing says whose directory it is.
#
# `start` stays the parent of all it starts until nothing is left of them, because a pod whose first process does not
# reap would keep every orphan as a zombie. It outlives its connection (HUP and PIPE are ignored), and keeps the result
# for LINGER seconds after the end for a fetch. Time is /proc/uptime: it neither jumps nor depends on a time zone.
# Functions answer in variables: a $(...) would cost a process each, on the machine that is being measured.
set -u
umask 077
newline='
'
trap '' HUP PIPE INT
verb=$1 dir=$2
shift 2

born() { # PID: sets $since to its start time in ticks since boot; fails when it is gone, a zombie, or no number
  since=
  case $1 in '' | *[!0-9]*) return 1 ;; esac # a record that is just being written; /proc//stat would be the machine's
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- ${line##*) } # what follows the name, which may itself hold spaces and brackets
  [ "$1" != Z ] && [ "$1" != X ] && since=${20}
}

clock() { # sets $now to whole seconds since boot
  read -r now _ </proc/uptime
  now=${now%%.*}
}

frame() { # STATUS
  status=$1
  set -- $(wc -c out err host) # "N out N err N host N total"
  echo "netbench frame $status $1 $3 $5"
  cat out err host
  echo "netbench end"
} 2>/dev/null

sources() { # sets $files to what a snapshot is made of, a path a line
  files=/proc/uptime$newline/proc/stat
  # CPU throttling: of the job's own cgroup and of all above it, for each of them may be throttled. Inside a container
  # without a cgroup namespace the path is the machine's and leads nowhere, and the mount's own top is the container's.
  while IFS=: read -r _ controllers path; do
    case ,$controllers, in
    ,,) tops=/sys/fs/cgroup ;;
    *,cpu,*) tops="/sys/fs/cgroup/cpu /sys/fs/cgroup/$controllers" ;;
    *) continue ;;
    esac
    case $path in */..*) path= ;; esac
    path=${path%/}
    for top in $tops; do
      [ -d "$top" ] || continue
      below=$path
      files=$files$newline$top/cpu.stat
      while [ -n "$below" ]; do
        files=$files$newline$top$below/cpu.stat
        below=${below%/*}
      done
      break
    done
  done </proc/self/cgroup
  if [ -n "$device" ]; then
    for counter in bytes packets dropped; do
      for way in rx tx; do files=$files$newline/sys/class/net/$device/statistics/${way}_$counter; done
    done
  fi
} 2>/dev/null

snapshot() { # adds what the machine has done since boot to "host", as PATH:LINE. One process: "read" asks byte by byte
  (
    IFS=$newline
    set -f
    exec grep -sv -e '^intr' -e '^softirq' $files >>host
  )
} 2>/dev/null

listening() { # does the child itself listen on TCP port $hex? Somebody else's server on that port is not ours
  for inode in $(sed -n "s/^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F:]* 0A [^ ]* [^ ]* [^ ]*  *[0-9]*  *[0-9]* \([0-9]*\) .*/\1/p" \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null); do
    case $(ls -l "/proc/$child/fd" 2>/dev/null) in *"socket:[$inode]"*) return 0 ;; esac
  done
  return 1
}

end_child() { # TERM, and KILL for what is frozen or does not listen
  kill -TERM "-$child" || kill -TERM "$child"
  clock
  patience=$((now + 2))
  while born "$child"; do
    [ "$now" -lt "$patience" ] || { kill -KILL "-$child" || kill -KILL "$child"; }
    sleep 0.02
    clock
  done
} 2>/dev/null

watch() { # a beat a second, and the deadline. The nap is reaped before this ends, so that no orphan is left
  nap=
  trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; wait; exit 0' TERM
  # a TERM before the trap is lost in dash: whoever sends it makes "ended" first
  while [ -e child ] && [ ! -e ended ]; do
    sleep 1 &
    nap=$!
    wait "$nap"
    tx='' rx=''
    if [ -n "$device" ]; then
      read -r tx <"/sys/class/net/$device/statistics/tx_bytes"
      read -r rx <"/sys/class/net/$device/statistics/rx_bytes"
    fi 2>/dev/null
    read -r exact _ </proc/uptime
    echo "netbench beat $exact ${tx:--} ${rx:--}" 2>/dev/null
    [ "${exact%%.*}" -lt "$until" ] || : >overdue
    if [ -e overdue ] || [ -e stopping ]; then
      end_child
      exit 0
    fi
  done
}

case $verb in
start)
  deadline=$1 linger=$2 hex=$3 device=$4
  shift 4
  mkdir "$dir" && cd "$dir" || exit 90
  stop='' child=''
  clock
  until=$((now + deadline))
  born $$
  echo "$$ $since" >job
  # a TERM just before the wait below leaves it waiting; for a frozen child, which keeps the TERM, the watch then ends it
  trap 'stop=1; : >stopping; [ -z "$child" ] || kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null' TERM
  sources
  snapshot
  # a session of its own: one signal reaches all that COMMAND starts
  ! command -v setsid >/dev/null || set -- setsid "$@"
  TMPDIR=$dir "$@" </dev/null >out 2>err &
  child=$!
  born "$child"
  echo "$child $since" >child
  if [ -n "$hex" ]; then
    until listening; do
      born "$child" && [ -z "$stop" ] || break
      clock
      [ "$now" -lt "$until" ] || break
      sleep 0.02
    done
    ! born "$child" || echo "netbench ready" 2>/dev/null
  fi
  watch &
  watcher=$!
  wait "$child"
  status=$?
  snapshot
  [ -z "$stop" ] || { end_child; status=stopped; }
  trap 'stop=1' TERM # the child is reaped: its number may soon be somebody else's
  [ ! -e overdue ] || status=overdue
  : >ended
  kill "$watcher" 2>/dev/null
  wait "$watcher"
  echo "$status" >status.new && mv status.new status
  frame "$status"
  clock
  until=$((now + linger))
  while [ -z "$stop" ] && [ "$now" -lt "$until" ]; do
    sleep 0.05 # short: a TERM is answered when it ends
    clock
  done
  cd / && rm -rf "$dir"
  ;;
fetch)
  cd "$dir" 2>/dev/null || { echo "netbench gone"; exit 0; }
  until [ -e status ]; do
    [ -e job ] || { echo "netbench gone"; exit 0; }
    read -r pid start <job
    born "$pid"
    [ "$since" = "$start" ] || [ -e status ] || { echo "netbench lost"; exit 0; }
    sleep 0.5
  done 2>/dev/null
  read -r status <status
  frame "$status"
  ;;
stop)
  cd "$dir" 2>/dev/null || exit 0
  if { read -r pid start <job; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; then
    kill -TERM "$pid"
    clock
    patience=$((now + 10)) # it ends within 2 s where the machine is not overloaded
    while born "$pid" && [ "$since" = "$start" ]; do
      [ "$now" -lt "$patience" ] || kill -KILL "$pid"
      sleep 0.02
      clock
    done
  fi
  # left only where the job's own shell was killed
  if { read -r pid start <child; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; then
    kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid"
  fi
  cd / && rm -rf "$dir"
  ;;
find)
  runs() { { read -r pid start <"$1"; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; }
  for place in $dir; do
    for found in "$place"/netbench-*; do
      id=${found##*/netbench-}
      case $id in *[!0-9a-f]*) continue ;; esac
      [ ${#id} = 24 ] && [ -d "$found" ] && [ ! -h "$found" ] && [ -O "$found" ] || continue
      state=ended
      if runs "$found/job" || runs "$found/child"; then
        state=running
      elif [ ! -f "$found/job" ] && [ -n "$(ls -A "$found")" ]; then
        state=unknown
      fi
      echo "netbench job $state $found"
    done
  done
  ;;
esac
