# A remote job of netbench, for any POSIX sh (dash, bash, BusyBox). $0 is "netbench-job"; verbs:
#   start DIR DEADLINE LINGER PORT PEER COMMAND...  run COMMAND in a new private directory, report on stdout, clean up
#   fetch DIR                                       wait for a started job and report its result again
#   stop DIR                                        end the job DIR belongs to, and remove DIR
# Lines on stdout: "netbench ready", "netbench beat UPTIME TX RX", "netbench frame STATUS OUTBYTES ERRBYTES" followed by
# that many bytes of stdout and stderr and "netbench end"; "netbench gone" and "netbench lost" answer a fetch.
#
# `start` stays the parent of all it starts until nothing is left of them, because a pod whose first process does not
# reap would keep every orphan as a zombie. It outlives its connection (HUP and PIPE are ignored), and keeps the result
# for LINGER seconds after the end for a fetch. Time is /proc/uptime: it neither jumps nor depends on a time zone.
set -u
umask 077
trap '' HUP PIPE INT
verb=$1 dir=$2
shift 2

started() { # PID: prints its start time in ticks since boot; fails when it is gone or a zombie
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- ${line##*) } # what follows the name, which may itself hold spaces and brackets
  [ "$1" != Z ] && [ "$1" != X ] && echo "${20}"
}

uptime() { read -r now _ </proc/uptime && echo "${now%%.*}"; }

frame() { # STATUS
  echo "netbench frame $1 $(($(wc -c <"$dir/out"))) $(($(wc -c <"$dir/err")))"
  cat "$dir/out" "$dir/err"
  echo "netbench end"
} 2>/dev/null

listening() { # does the child itself listen on TCP port $hex? Somebody else's server on that port is not ours
  for inode in $(sed -n "s/^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F:]* 0A [^ ]* [^ ]* [^ ]*  *[0-9]*  *[0-9]* \([0-9]*\) .*/\1/p" \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null); do
    for fd in "/proc/$child/fd"/*; do
      [ "$(readlink "$fd" 2>/dev/null)" = "socket:[$inode]" ] && return 0
    done
  done
  return 1
}

end_child() { # TERM, and KILL for what is frozen or does not listen
  kill -TERM "-$child" || kill -TERM "$child"
  patience=$(($(uptime) + 2))
  while started "$child" >/dev/null; do
    [ "$(uptime)" -lt "$patience" ] || { kill -KILL "-$child" || kill -KILL "$child"; }
    sleep 0.02
  done
} 2>/dev/null

watch() { # a beat a second, and the deadline. The nap is reaped before this ends, so that no orphan is left
  nap=
  trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; wait; exit 0' TERM
  # a TERM before the trap is lost in dash: whoever sends it makes "ended" first
  while [ -d "$dir" ] && [ ! -e "$dir/ended" ]; do
    sleep 1 &
    nap=$!
    wait "$nap"
    tx='' rx=''
    if [ -n "$device" ]; then
      read -r tx <"/sys/class/net/$device/statistics/tx_bytes"
      read -r rx <"/sys/class/net/$device/statistics/rx_bytes"
    fi 2>/dev/null
    read -r now _ </proc/uptime
    echo "netbench beat $now ${tx:--} ${rx:--}" 2>/dev/null
    if [ "${now%%.*}" -ge "$until" ]; then
      : >"$dir/overdue"
      end_child
      exit 0
    fi
  done
}

case $verb in
start)
  deadline=$1 linger=$2 port=$3 peer=$4
  shift 4
  mkdir "$dir" || exit 90
  stop='' child='' nap=''
  hex=$(printf %04X "$port")
  until=$(($(uptime) + deadline))
  device=
  [ -z "$peer" ] || device=$(ip -o route get "$peer" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  echo "$$ $(started $$)" >"$dir/job.new" && mv "$dir/job.new" "$dir/job"
  trap 'stop=1; [ -z "$child" ] || kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null' TERM
  # a session of its own: one signal reaches all that COMMAND starts
  ! command -v setsid >/dev/null || set -- setsid "$@"
  TMPDIR=$dir "$@" </dev/null >"$dir/out" 2>"$dir/err" &
  child=$!
  echo "$child $(started "$child")" >"$dir/child"
  if [ "$port" != 0 ]; then
    until listening; do
      started "$child" >/dev/null && [ -z "$stop" ] || break
      [ "$(uptime)" -lt "$until" ] || break
      sleep 0.02
    done
    ! started "$child" >/dev/null || echo "netbench ready" 2>/dev/null
  fi
  watch &
  watcher=$!
  wait "$child"
  status=$?
  [ -z "$stop" ] || { end_child; status=stopped; }
  trap 'stop=1' TERM # the child is reaped: its number may soon be somebody else's
  [ ! -e "$dir/overdue" ] || status=overdue
  : >"$dir/ended"
  kill "$watcher" 2>/dev/null
  wait "$watcher"
  echo "$status" >"$dir/status.new" && mv "$dir/status.new" "$dir/status"
  frame "$status" 2>/dev/null
  until=$(($(uptime) + linger))
  while [ -z "$stop" ] && [ "$(uptime)" -lt "$until" ]; do
    sleep 0.05 # short: a TERM is answered when it ends
  done
  rm -rf "$dir"
  ;;
fetch)
  until [ -e "$dir/status" ]; do
    [ -d "$dir" ] || { echo "netbench gone"; exit 0; }
    if read -r pid start <"$dir/job" && [ "$(started "$pid")" != "$start" ] && [ ! -e "$dir/status" ]; then
      echo "netbench lost"
      exit 0
    fi
    sleep 0.5
  done 2>/dev/null
  frame "$(cat "$dir/status")"
  ;;
stop)
  if { read -r pid start <"$dir/job"; } 2>/dev/null && [ "$(started "$pid")" = "$start" ]; then
    kill -TERM "$pid"
    patience=$(($(uptime) + 10)) # it ends within 2 s where the machine is not overloaded
    while [ "$(started "$pid")" = "$start" ]; do
      [ "$(uptime)" -lt "$patience" ] || kill -KILL "$pid"
      sleep 0.02
    done
  fi
  # left only where the job's own shell was killed
  if { read -r pid start <"$dir/child"; } 2>/dev/null && [ "$(started "$pid")" = "$start" ]; then
    kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid"
  fi
  rm -rf "$dir"
  ;;
esac
