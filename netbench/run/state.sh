# Where netbench keeps what it has on a machine: PLACE/netbench-UID, a directory of that user's that nobody else can write
# to, so that no name in it can be made, exchanged or linked by anybody else. It is entered first and judged from inside.
# Functions answer in variables: a $(...) would cost a process each, on the machine that is being measured.
me=none rights=0
while read -r key real effective rest; do
  case $key in
  Uid:) me=$effective ;;
  CapEff:) rights=$real ;;
  esac
done </proc/self/status

number() { # is it one that the shell can reckon with?
  case $1 in '' | *[!0-9]* | 0?* | ???????????*) return 1 ;; esac
}

clock() { # sets $now to whole seconds since boot
  read -r now rest </proc/uptime
  now=${now%%.*}
}

safe() { # PLACE UID: enters that user's state directory and sets $home; else $why says what is wrong with it
  top=$1
  [ "$top" != '~' ] || top=${HOME:-/nonexistent}
  why="no such directory"
  cd -P -- "$top" 2>/dev/null || return 1
  top=${PWD%/}
  why=missing
  [ -e "netbench-$2" ] || [ -h "netbench-$2" ] || return 1
  why="$top/netbench-$2 is a link, or no directory"
  cd -P -- "netbench-$2" 2>/dev/null && [ "$PWD" = "$top/netbench-$2" ] || return 1
  set -- "$2" $(ls -ldn . 2>/dev/null) # mode, links, uid ...
  why="no ls on the PATH of sh"
  [ -n "${4:-}" ] || return 1
  why="$PWD belongs to uid $4 with mode $2"
  [ "$4" = "$1" ] || return 1
  case $2 in d????-??-*) ;; *) return 1 ;; esac
  why='' home=$PWD
}

home() { # PLACE: enters this user's own, and makes it where there is none
  made=
  for attempt in 1 2 3; do # another run of this user's may remove it just now
    safe "$1" "$me" && return
    [ "$why" = missing ] || break
    why="cannot be written to"
    if mkdir -m 755 "netbench-$me" 2>/dev/null; then made=yes; else [ -e "netbench-$me" ] || return 1; fi
  done
  [ -z "$made" ] || leave
  return 1
}

room() { # can this directory hold a file with something in it?
  { printf '%4096s\n' . >room.$$ && read -r dot <room.$$; } 2>/dev/null
  roomy=$?
  rm -f room.$$
  return "$roomy"
}

leave() { # out of the state directory, which goes where it is empty
  cd -P .. && rmdir "netbench-$me" 2>/dev/null
  cd /
}

read -r boot </proc/sys/kernel/random/boot_id || boot=none
