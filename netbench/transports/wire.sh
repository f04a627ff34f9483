# Begins every program that netbench sends to an endpoint's sh. $netbench_t is a token that only this call knows: it
# comes on stdin, so no login shell, rc file or other user can print it. Every message begins a line of its own.
LC_ALL=C
export LC_ALL
unset CDPATH GREP_OPTIONS
# bash takes functions from the environment, where an rc file may have put any
unset -f cat cd chmod command date echo ethtool exit grep ip iperf3 kill ls mkdir mv nproc ping printf read readlink rm \
  rmdir sed set setpriv setsid sleep stat tc test trap ulimit umask uname wait wc
umask 077
set -u
netbench_n=0

tell() { # a line of the answer; the end says how many there were
  netbench_n=$((netbench_n + 1))
  printf '\n%s l %s\n' "$netbench_t" "$*"
}

note() { # a line that may come from a subshell, and is not counted
  printf '\n%s n %s\n' "$netbench_t" "$*"
} 2>/dev/null

blob() { # SIZE: exactly so many bytes follow
  printf '\n%s d %s\n' "$netbench_t" "$1"
}

finish() { # STATUS
  printf '\n%s e %s %s\n' "$netbench_t" "$1" "$netbench_n"
  exit "$1"
}
