#!/bin/bash
# Runs a program with mpirun on several hosts that are network namespaces of this machine, with a given bandwidth and delay between them:
# hosts.sh [-n HOSTS] [-r RATE] [-d DELAY] PROGRAM ARGUMENTS…
#     -n HOSTS   hosts, with one process each (default: 2)
#     -r RATE    bandwidth of each host in each direction, as tc writes it, such as 1gbit; 0 for no limit (default: 1gbit)
#     -d DELAY   delay of each packet, such as 100us; needs the kernel module sch_netem (default: 0)
# At the end, the bytes that each host has sent and received are printed, with the headers of all packets. Everything is removed on exit.
# Needs root, iproute2, util-linux and Open MPI. The processors are those of one machine, so give each process its share (--threads).
set -euo pipefail

fail() { echo "hosts: $1" >&2; exit 64; }

hosts=2 rate=1gbit delay=0
while getopts n:r:d:h option; do
    case $option in
        n) hosts=$OPTARG ;;
        r) rate=$OPTARG ;;
        d) delay=$OPTARG ;;
        *) sed -n '2,8s/^# \?//p' "$0"; [ "$option" = h ] && exit 0; exit 64 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || fail "no program; usage: hosts.sh [-n HOSTS] [-r RATE] [-d DELAY] PROGRAM ARGUMENTS…"
case $hosts in *[!0-9]* | '' | 0) fail "-n $hosts is not a number of hosts" ;; esac
[ "$hosts" -le 250 ] || fail "-n $hosts: at most 250 hosts"
[ "$(id -u)" = 0 ] || fail "network namespaces need root"
for tool in ip tc unshare mpirun; do
    command -v $tool > /dev/null || fail "$tool was not found; install iproute2, util-linux and Open MPI (make build MPI=1)"
done

# a namespace for each host, and one for the switch between them, so that this machine's own network is not touched
name=ranks$$
folder=$(mktemp -d)
remove() {
    set +e
    for host in $(seq "$hosts") switch; do
        [ -e "/run/netns/$name-$host" ] || continue
        local processes
        processes=$(ip netns pids "$name-$host")
        # shellcheck disable=SC2086
        [ -z "$processes" ] || kill -KILL $processes 2> /dev/null
        ip netns del "$name-$host"
    done
    rm -rf "$folder"
}
trap remove EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

shape() { # NAMESPACE DEVICE: limits what a device sends
    local parent=root
    if [ "$rate" != 0 ]; then
        tc -n "$1" qdisc add dev "$2" root handle 1: tbf rate "$rate" burst 1mb latency 50ms || fail "tc does not accept the rate $rate"
        parent="parent 1:1"
    fi
    [ "$delay" = 0 ] || [ "$2" != eth0 ] && return
    # shellcheck disable=SC2086
    tc -n "$1" qdisc add dev "$2" $parent handle 10: netem delay "$delay" limit 100000 2> "$folder/netem" || \
        fail "no delay of $delay ($(tr '\n' ' ' < "$folder/netem")); if the kernel has no module sch_netem, leave out -d"
}

ip netns add "$name-switch"
ip -n "$name-switch" link add switch type bridge
ip -n "$name-switch" link set switch up
for host in $(seq "$hosts"); do
    ip netns add "$name-$host"
    ip -n "$name-$host" link set lo up
    ip -n "$name-$host" link add eth0 type veth peer name "port$host" netns "$name-switch"
    ip -n "$name-$host" address add "10.77.0.$host/24" dev eth0
    ip -n "$name-$host" link set eth0 up
    ip -n "$name-switch" link set "port$host" master switch
    ip -n "$name-switch" link set "port$host" up
    shape "$name-$host" eth0
    shape "$name-switch" "port$host"
    echo "10.77.0.$host slots=1" >> "$folder/hosts"
done

# what mpirun calls in place of ssh: enter HOST COMMAND…
cat > "$folder/enter" << END
#!/bin/sh
host=\${1##*.}
shift
exec ip netns exec "$name-\$host" unshare --uts sh -c "hostname host\$host; \$*"
END
chmod +x "$folder/enter"

status=0
# shellcheck disable=SC2016
ip netns exec "$name-1" unshare --uts sh -c 'hostname host1; exec "$@"' sh \
    mpirun --allow-run-as-root -n "$hosts" --hostfile "$folder/hosts" --map-by ppr:1:node --bind-to none \
    --mca plm_rsh_agent "$folder/enter" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 "$@" || status=$?
for host in $(seq "$hosts"); do
    read -r sent received < <(ip netns exec "$name-$host" sh -c 'cd /sys/class/net/eth0/statistics; echo $(cat tx_bytes rx_bytes)')
    echo "host $host: $sent bytes sent, $received received" >&2
done
exit $status
