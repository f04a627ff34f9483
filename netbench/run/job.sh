# A remote job of netbench, for any POSIX sh (dash, bash, BusyBox). Verbs:
#   start PLACE ID DEADLINE LINGER HEXPORT DEVICE LIMIT COMMAND...
#                     run COMMAND in a new private directory, report, clean up; its files may have LIMIT bytes each
#   fetch PLACE ID    wait for a started job and report its result again
#   stop PLACE ID     end that job, and remove its directory
#   collect PLACE ID  end that job, and report its result, which its own session could not; a stop has to follow
#   find PLACES       list this user's job directories in PLACES (space-separated)
# Answers: "ready", "beat UPTIME TX RX", "frame STATUS OUTBYTES ERRBYTES HOSTBYTES" followed by that many bytes of stdout,
# stderr and snapshots of the machine, and "end"; "gone" and "lost" answer a fetch. A find gives "job STATE PLACE ID" with
# STATE running, ended, or unknown where nothing says what it is.
#
# A job's directory is job.ID in its user's state directory (see state.sh): nobody else can make, fill or exchange it, so
# what its records say is its own. `start` stays the parent of all it starts until nothing is left of them, because a pod
# whose first process does not reap would keep every orphan as a zombie. It outlives its connection (HUP and PIPE are
# ignored), and keeps the result for LINGER seconds after the end for a fetch. Time is /proc/uptime: it neither jumps nor
# depends on a time zone.
newline='
'
verb=$1 places=$2
shift 2

enter() { # PLACE ID: into the job's directory
  safe "$1" "$me" && cd -P -- "job.$2" 2>/dev/null && [ "$PWD" = "$home/job.$2" ]
}

clear() { # out of the job's directory, which goes. By "..", not by name: what bears our names by now may be another's
  cd -P .. && rm -rf "job.$1" && leave
}

born() { # PID: sets $since to its start time in ticks since boot; fails when it is gone, a zombie, or no number
  since=
  case $1 in '' | *[!0-9]*) return 1 ;; esac # a record that is just being written; /proc//stat would be the machine's
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- ${line##*) } # what follows the name, which may itself hold spaces and brackets
  [ "$1" != Z ] && [ "$1" != X ] && since=${20}
}

frame() { # STATUS LIMIT: of what is longer than that, one byte more is sent, which says so
  status=$1 limit=$2
  set -- $(wc -c out err host) # "N out N err N host N total"
  out=$1 err=$3
  [ "$out" -le "$limit" ] || out=$((limit + 1))
  [ "$err" -le "$limit" ] || err=$((limit + 1))
  tell "frame $status $out $err $5"
  blob $((out + err + $5))
  if [ "$out$err" = "$1$3" ]; then
    cat out err host
  else
    head -c "$out" out
    head -c "$err" err
    cat host
  fi
  tell end
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
  # the kernel goes through all of its connections' table to print /proc/net/tcp: that takes longer than iperf3's start
  if table=$(ss -ltne "sport = :$((0x$hex))" 2>/dev/null); then
    for word in $table; do
      case $word in
      ino:*) case $(ls -l "/proc/$child/fd" 2>/dev/null) in *"socket:[${word#ino:}]"*) return 0 ;; esac ;;
      esac
    done
    return 1
  fi
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
    note "beat $exact ${tx:--} ${rx:--}"
    [ "${exact%%.*}" -lt "$until" ] || : >overdue
    if [ -e overdue ] || [ -e stopping ]; then
      end_child
      exit 0
    fi
  done
}

case $verb in
start)
  trap '' PIPE
  id=$1 deadline=$2 linger=$3 hex=$4 device=$5 limit=$6
  shift 6
  for attempt in 1 2 3; do # another job that ends may remove the state directory just now
    home "$places" && mkdir -m 700 "job.$id" 2>/dev/null && cd -P -- "job.$id" && [ "$PWD" = "$home/job.$id" ] && break
    attempt=
  done
  if [ -z "$attempt" ]; then
    echo "$places: ${why:-cannot be written to}" >&2
    finish 90
  fi
  stop='' child=''
  clock
  until=$((now + deadline))
  born $$
  echo "$$ $since $boot $limit" >job
  # a TERM just before the wait below leaves it waiting; for a frozen child, which keeps the TERM, the watch then ends it
  trap 'stop=1; : >stopping; [ -z "$child" ] || kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null' TERM
  sources
  snapshot
  # a session of its own: one signal reaches all that COMMAND starts
  ! command -v setsid >/dev/null || set -- setsid "$@"
  (
    ulimit -S -t unlimited
    ulimit -f $(((limit + 2097152) / 512)) # tools have buffers of their own: iperf3 one file a stream, of a block each
    TMPDIR=. # this directory, whatever becomes of its name
    export TMPDIR
    exec "$@"
  ) >out 2>err &
  child=$!
  born "$child"
  echo "$child $since $boot" >child
  ulimit -S -t $((20 + deadline / 10))
  if [ -n "$hex" ]; then
    until listening; do
      born "$child" && [ -z "$stop" ] || break
      clock
      [ "$now" -lt "$until" ] || break
      sleep 0.005 # as long as iperf3 takes to listen; every step waits for this
    done
    ! born "$child" || tell ready 2>/dev/null
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
  frame "$status" "$limit"
  clock
  until=$((now + linger))
  while [ -z "$stop" ] && [ "$now" -lt "$until" ]; do
    sleep 0.01 # short: a TERM is answered when it ends
    clock
  done
  [ -e wanted ] || clear "$id"
  ;;
fetch)
  enter "$places" "$1" || {
    tell gone
    finish 0
  }
  until [ -e status ]; do
    [ -e job ] || {
      tell gone
      finish 0
    }
    read -r pid start birth limit <job
    born "$pid"
    [ "$since" = "$start" ] || [ -e status ] || {
      tell lost
      finish 0
    }
    sleep 0.5
  done 2>/dev/null
  read -r pid start birth limit <job
  read -r status <status
  frame "$status" "$limit"
  ;;
stop | collect)
  enter "$places" "$1" || finish 0
  [ "$verb" = stop ] || : >wanted # it leaves its directory to us
  if { read -r pid start rest <job; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; then
    kill -TERM "$pid"
    clock
    patience=$((now + 10)) # it ends within 2 s where the machine is not overloaded
    while born "$pid" && [ "$since" = "$start" ]; do
      [ "$now" -lt "$patience" ] || kill -KILL "$pid"
      sleep 0.01
      clock
    done
  fi
  # left only where the job's own shell was killed
  if { read -r pid start rest <child; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; then
    kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid"
  fi
  if [ "$verb" = stop ]; then
    clear "$1"
  elif { read -r pid start birth limit <job && read -r status <status; } 2>/dev/null; then
    frame "$status" "$limit"
  fi
  ;;
find)
  runs() { { read -r pid start rest <"$1"; } 2>/dev/null && born "$pid" && [ "$since" = "$start" ]; }
  for place in $places; do
    safe "$place" "$me" || continue
    for found in job.*; do
      id=${found#job.}
      case $id in *[!0-9a-f]*) continue ;; esac
      [ ${#id} = 24 ] && [ -d "$found" ] && [ ! -h "$found" ] || continue
      state=ended
      if runs "$found/job" || runs "$found/child"; then
        state=running
      elif [ ! -f "$found/job" ] && [ -n "$(ls -A "$found")" ]; then
        state=unknown
      elif { read -r pid start birth rest <"$found/job"; } 2>/dev/null && [ "$birth" != "$boot" ] && [ "$place" = '~' ]; then
        continue # a home may be another machine's, too, where it runs
      fi
      tell "job $state $place $id"
    done
  done
  ;;
esac
finish 0
