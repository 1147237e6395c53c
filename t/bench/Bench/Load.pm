package Bench::Load;

# wrk as the load: one thread, so many connections, for so long.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);

my $n = 0;

# options: connections, seconds, script (Lua: wrk.method, wrk.body, request), headers (name => value).  Result: requests, rate (a second), p50 and
# p99 in us
sub wrk {
    my ($url, %option) = @_;
    my $script = "$ENV{CAMPAIGN_BENCH_DIR}/wrk.$$." . ++$n . ".lua";
    my %headers = %{ $option{headers} // {} };

    open my $lua, '>', $script or croak "$script: $!";
    print $lua map { "wrk.headers[\"$_\"] = \"$headers{$_}\"\n" } sort keys %headers;
    print $lua $option{script} // '', <<'END';

function done(summary, latency, requests)
    local e = summary.errors
    print(string.format("bench %d %d %d %d %d %d", summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout, e.status,
                        latency:percentile(50), latency:percentile(99)))
end
END
    close $lua or croak "$script: $!";

    my $said = qx(wrk -t 1 -c $option{connections} -d $option{seconds}s --timeout 10s -s $script '$url' 2>&1);
    my @got = $said =~ /^bench (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/m or croak "wrk $url: $said";

    croak "wrk $url: $got[2] errors, $got[3] answers of 4xx and 5xx" if $got[2] + $got[3];
    unlink $script;
    return { requests => $got[0], rate => $got[0] / ($got[1] / 1e6), p50 => $got[4], p99 => $got[5] };
}

1;
