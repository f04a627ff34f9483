# The lease on a node, for any POSIX sh (dash, bash, BusyBox). Verbs:
#   take PLACES TOKEN SECONDS HOLDER   hold it for SECONDS from now, or go on holding it; HOLDER is one line of text
#   drop PLACES TOKEN                  give it back
#   list PLACES                        say what leases there are, and where one would be made
# Answers: "lease STATE AGE LEFT UID TOKEN PLACE HOLDER", STATE being held (by the caller), busy (held by another run),
# live, expired, broken (no record of netbench's) or unreadable; "me UID"; "place PLACE", or "noplace REASONS" (exit code
# 3 of take); "other UID PLACE TOKEN" for those of users whose leases do not bind this one; "odd WORDS" for what stands where
# a state directory of this user's or root's would be, and cannot be trusted.
#
# A lease is a file lease.TOKEN in its owner's state directory (see state.sh): all can read it, and only its owner can
# make, change or remove it. It binds runs of the same user, and those of root bind everybody: a lease of somebody else's
# would let any user, or any process, keep every run away for ever. Who has written one looks again, and takes it back
# where he sees another live one: whatever order things happen in, of two at most one goes on. Time is /proc/uptime with
# the boot's id: no two machines' clocks are compared. No lease is good for longer than $most.
umask 022
verb=$1 places=$2
shift 2
most=21600 # seconds; the longest wave is some minutes
users=$me
[ "$me" = 0 ] || users="0 $me"

record() { # FILE USER PLACE: sets $token $since $until $who and $state; fails where it is no lease, or no more
  token=${1#lease.}
  case $token in '' | *[!0-9a-f]*) return 1 ;; esac
  [ ${#token} -le 64 ] && [ -f "$1" ] && [ ! -h "$1" ] || return 1
  born='' since='' until='' who='' state=live
  if [ ! -r "$1" ]; then
    unreadable "$1" "$2"
    return
  fi
  { read -r born since until rest && read -r who; } <"$1"
  if [ -z "$who" ] || ! number "$since" || ! number "$until" || [ -n "$rest" ]; then
    [ -e "$1" ] || return 1
    state=broken since=$now until=$now who="not a record of netbench's"
  elif [ "$born" != "$boot" ]; then
    [ "$3" != '~' ] || return 1 # a home may be another machine's, too
    state=expired since=$now until=$now
  elif [ "$since" -gt "$now" ] || [ "$((until - now))" -gt "$most" ]; then
    state=broken who="times that cannot be true, by $who"
  elif [ "$until" -le "$now" ]; then
    state=expired
  fi
} 2>/dev/null

unreadable() { # FILE USER: by the kernel's own clock for the file it expires like any other
  age=$(($(date +%s) - $(stat -c %Z "$1" || echo 0)))
  state=unreadable who="cannot be read: $home/$1 of uid $2"
  [ "$age" -ge 0 ] && [ "$age" -lt "$most" ] || state=broken age=0
  since=$((now - age)) until=$((now - age + most))
} 2>/dev/null

say() { # STATE: what record found
  left=$((until - now))
  [ "$left" -gt 0 ] || left=0
  age=$((now - since))
  [ "$age" -gt 0 ] || age=0
  tell "lease $1 $age $left $user $token $place $who"
}

survey() { # sets $mine, the place of our own lease, $begun, and the variables of a rival's that binds us; $rival names it
  rival='' mine=''
  clock
  for place in $places; do
    for user in $users; do
      safe "$place" "$user" || continue
      for file in lease.*; do
        record "$file" "$user" "$place" || continue
        case $state in live | unreadable) ;; *) continue ;; esac
        if [ "$token" = "$ours" ]; then
          [ "$user" != "$me" ] || mine=$place begun=$since # else this run came here as root, too
        else
          rival=$file
          return
        fi
      done
    done
  done
}

write() { # makes or renews our lease, whole or not at all, in the first place that takes it; else $reasons says why not
  reasons=
  for place in $mine $places; do
    if ! home "$place"; then
      reasons="$reasons$place: $why; "
      continue
    fi
    line="$boot $begun $((now + seconds))" draft=draft.$ours.$$ back=
    { printf '%s\n' "$line" "$holder" >"$draft"; } 2>/dev/null
    if { read -r back && read -r second; } 2>/dev/null <"$draft" && [ "$back" = "$line" ] &&
      mv -f "$draft" "lease.$ours" 2>/dev/null; then
      kept=$place
      return 0
    fi
    rm -f "$draft"
    reasons="$reasons$place: full, or cannot be written to; "
    leave
  done
  return 1
}

tidy() { # removes own leases that are over
  for place in $places; do
    safe "$place" "$me" || continue
    for file in lease.*; do
      record "$file" "$me" "$place" || continue
      case $state in expired | broken) rm -f "$file" ;; esac
    done
  done
}

others() { # in a process of its own: in a public place anybody can make any number of names
  ulimit -S -t 2
  for place in $places; do
    told=0 looked=0
    [ "$place" != '~' ] || continue
    for found in "$place"/netbench-[0-9]*; do
      user=${found##*/netbench-}
      case " $users " in *" $user "*) continue ;; esac
      looked=$((looked + 1))
      [ "$looked" -le 50 ] || break
      number "$user" && safe "$place" "$user" || continue
      for file in lease.*; do
        token=${file#lease.}
        case $token in '' | *[!0-9a-f]*) continue ;; esac
        told=$((told + 1))
        [ "$told" -le 20 ] && [ ${#token} -le 64 ] || continue
        note "other $user $place $token"
      done
    done
  done
}

case $verb in
take)
  ours=$1 seconds=$2 holder=$3 begun='' tries=0
  while [ "$tries" -lt 20 ]; do
    tries=$((tries + 1))
    survey
    if [ -n "$rival" ]; then
      say busy
      finish 0
    fi
    begun=${begun:-$now}
    if ! write; then
      tell "noplace ${reasons%; }"
      finish 3
    fi
    survey
    if [ -z "$rival" ] && [ -n "$mine" ]; then
      tidy
      safe "$kept" "$me" && record "lease.$ours" "$me" "$kept" && place=$kept user=$me && say held
      finish 0
    fi
    safe "$kept" "$me" && rm -f "lease.$ours" && leave
    begun=
    sleep 0.0$(($$ % 9 + 1)) # two that saw each other do not come again at the same moment
  done
  tell "noplace another run comes and goes"
  finish 4
  ;;
drop)
  case $1 in '' | *[!0-9a-f]*) finish 2 ;; esac
  for place in $places; do
    safe "$place" "$me" || continue
    rm -f "lease.$1" "draft.$1".*
    leave
  done
  ;;
list)
  clock
  tell "me $me"
  for place in $places; do
    for user in $users; do
      if ! safe "$place" "$user"; then
        case $why in missing | "no such directory") ;; *) tell "odd $why" ;; esac
        continue
      fi
      for file in lease.* draft.*; do
        case $file in
        draft.*)
          token=${file#draft.} token=${token%%.*} since=$now until=$now who="a draft that was left"
          case $token in '' | *[!0-9a-f]*) continue ;; esac
          say broken
          ;;
        *) record "$file" "$user" "$place" && say "$state" ;;
        esac
      done
    done
  done
  reasons=
  for place in $places; do
    if home "$place"; then
      if room; then
        leave
        tell "place $place"
        reasons=
        break
      fi
      why="full, or cannot be written to"
      leave
    fi
    reasons="$reasons$place: $why; "
  done
  [ -z "$reasons" ] || tell "noplace ${reasons%; }"
  (others) 2>/dev/null
  ;;
esac
finish 0
