# The lease on a node, for any POSIX sh (dash, bash, BusyBox). $0 is "netbench-lease"; verbs:
#   take PLACES TOKEN SECONDS HOLDER   hold it for SECONDS from now, or go on holding it; HOLDER is one line of text
#   drop PLACES TOKEN                  give it back
#   list PLACES                        say what leases there are
# One line a lease on stdout: "netbench lease STATE AGE LEFT OWN TOKEN HOLDER". STATE is held (by the caller), busy (held
# by another), live or expired; AGE and LEFT are seconds; OWN is 1 where the record belongs to this user. Exit code 3:
# none of PLACES (directories, space-separated) can be written to; 4: no lease could be made.
#
# A lease is a file PLACE/netbench-lease.N that everybody can read, in the first PLACE that all users can write to. In a
# sticky directory nobody can remove another's stale record, so it is outbid instead: ln makes N + 1, of which there is
# only one. After that everybody looks again, and who sees another live lease takes his own back: whatever order things
# happen in, of two at most one goes on. Time is /proc/uptime with the boot's id: no two machines' clocks are compared.
set -u
umask 022
verb=$1 places=$2
shift 2

clock() { # sets $now to whole seconds since boot
  read -r now _ </proc/uptime
  now=${now%%.*}
}

number() { # is it one that the shell can reckon with?
  case $1 in '' | *[!0-9]* | 0?* | ???????????*) return 1 ;; esac
}

record() { # FILE: sets $token $since $until $who and $state; fails where it is no lease, or no more
  [ -f "$1" ] && [ ! -h "$1" ] || return 1
  token='' born='' since='' until='' who=''
  { read -r token born since until _ && read -r who; } <"$1"
  if [ -z "$who" ] || ! number "$since" || ! number "$until"; then
    [ -e "$1" ] || return 1
    token=- born=$boot since=$now until=$((now + 60)) who="unknown: $1 cannot be read as a lease"
  fi
  state=live
  if [ "$born" != "$boot" ]; then
    state=expired since=$now until=$now
  elif [ "$until" -le "$now" ]; then
    state=expired
  fi
} 2>/dev/null

say() { # STATE FILE
  own=0
  [ ! -O "$2" ] || own=1
  left=$((until - now))
  [ "$left" -gt 0 ] || left=0
  printf 'netbench lease %s %s %s %s %s %s\n' "$1" "$((now - since))" "$left" "$own" "$token" "$who"
}

choose() { # sets $place
  for place in $places; do
    case $(ls -ld "$place/." 2>/dev/null) in drwxrwxrw[xt]*) try && return ;; esac
  done
  for place in $places; do # a pod with a directory of its own: all who come there are the same user
    try && return
  done
  echo "no directory for a lease can be written to: $places" >&2
  exit 3
}

try() {
  mkdir "$place/netbench-lease.try.$$" && rmdir "$place/netbench-lease.try.$$"
} 2>/dev/null

survey() { # sets $rival and $mine (files of live leases) and $top (the highest number in $place)
  rival='' mine='' top=0
  clock
  for file in $(files '[0-9]*'); do
    record "$file" || continue
    if [ "${file%/*}" = "$place" ] && number "${file##*.}" && [ "${file##*.}" -gt "$top" ]; then
      top=${file##*.}
    fi
    [ "$state" = live ] || continue
    if [ "$token" = "$ours" ]; then mine=$file; else rival=$file; fi
  done
}

files() { # PATTERN: lists records in all places
  for dir in $places; do
    for found in "$dir"/netbench-lease.$1; do
      echo "$found"
    done
  done
}

write() { # FILE: a record, whole or not at all
  draft=$place/netbench-lease.new.$ours.$$
  printf '%s\n' "$ours $boot $begun $((now + seconds))" "$holder" >"$draft" || return 1
  if [ -n "$mine" ]; then mv "$draft" "$1"; else ln "$draft" "$1" 2>/dev/null; fi
  wrote=$?
  rm -f "$draft"
  return "$wrote"
}

read -r boot </proc/sys/kernel/random/boot_id || boot=none
case $verb in
take)
  ours=$1 seconds=$2 holder=$3
  choose
  clock
  begun=$now tries=0
  while [ "$tries" -lt 20 ]; do
    tries=$((tries + 1))
    survey
    if [ -n "$rival" ]; then
      record "$rival" && say busy "$rival" && exit 0
      continue
    fi
    made=$place/netbench-lease.$((top + 1))
    [ -z "$mine" ] || { record "$mine" && begun=$since made=$mine; }
    write "$made" || continue
    survey
    if [ -z "$rival" ] && [ -n "$mine" ]; then
      for file in $(files '[0-9]*'); do # what is over: others' only where this user may
        ! record "$file" || [ "$state" = live ] || rm -f "$file" 2>/dev/null
      done
      record "$mine" && say held "$mine"
      exit 0
    fi
    ! record "$made" || [ "$token" != "$ours" ] || rm -f "$made"
    sleep 0.0$(($$ % 9 + 1)) # two that saw each other do not come again at the same moment
  done
  echo "no lease could be made in $place" >&2
  exit 4
  ;;
drop)
  clock
  for file in $(files '*'); do
    ! record "$file" || [ "$token" != "$1" ] || rm -f "$file"
  done
  ;;
list)
  clock
  for file in $(files '*'); do
    ! record "$file" || say "$state" "$file"
  done
  ;;
esac
