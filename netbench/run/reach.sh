# Which of these ADDRESSes do not answer ping; for any POSIX sh. Exit code 9: there is no ping here.
# Two tries: the first packet may be lost to address resolution.
command -v ping >/dev/null || finish 9
for address; do
  ping -c 1 -W 2 "$address" >/dev/null 2>&1 || ping -c 1 -W 2 "$address" >/dev/null 2>&1 || tell "$address"
done
