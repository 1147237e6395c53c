# throughput: messages a second of one worker, next to BullMQ on Redis with a job a message.
#
# In turns, to the same gateway: a campaign is sent; as many jobs as fit the time are taken out of the queue by one Node process (t/bench/bullmq.js); each
# with the concurrency that was best in a trial.  Redis writes its append-only file, fsync each second; the worker's outcomes are durable when they are counted.
# The time to put jobs into the queue is not counted for BullMQ, making the campaign is for the worker.
# needs: node=nodejs npm=npm
# unpacks: redis-server=redis-server

use v5.10.1;
use strict;
use warnings;

use Bench;
use JSON::PP qw(decode_json);
use Time::HiRes qw(time);

my $rounds = of_quick(1, 3);
my $n = of_quick(20_000, 100_000);
my $jobs = of_quick(3000, 20_000);
my $out = $ENV{CAMPAIGN_BENCH_DIR};

if (!-d "$out/npm/node_modules/bullmq" || !-d "$out/npm/node_modules/ioredis") {
    progress('npm installs bullmq');
    mkdir "$out/npm";
    system("cd $out/npm && echo '{\"private\":true}' >package.json && npm install --no-audit --no-fund bullmq ioredis >npm.log 2>&1") == 0
        or die "npm could not install bullmq (see $out/npm/npm.log)\n";
}

my $port = Bench::Process::free_port();
my $gateway = Bench::Gateway->new('throughput');
my $redis = Bench::Process->unpacked("$out/redis.log", 'redis-server', '--bind', '127.0.0.1', '--port', $port, '--dir', $out, '--save', '',
                                     qw(--appendonly yes --appendfsync everysec --appenddirname redis-aof));
wait_for(10, 'Redis', sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) });

my $server = Bench::Server->new('throughput', gateway => $gateway);
my $client = $server->account;
my %channel = (256 => 'SMS', 512 => 'BROAD', 1024 => 'WIDE');
my %audience = map { $_ => $server->audience($client, $n, $channel{$_}) } keys %channel;
my (%cpu, @added);

# jobs a second
sub bullmq {
    my ($jobs, $concurrency) = @_;
    my $cpu = $redis->cpu;
    my $said = qx(NODE_PATH=$out/npm/node_modules node $ENV{CAMPAIGN_BENCH_CASES}/bullmq.js $port @{[ $gateway->port ]} $jobs $concurrency 2>&1);
    die "bullmq: $said\n" if $? != 0;
    my $got = decode_json($said);
    push @added, $jobs / $got->{add} * 1e3;
    push @{ $cpu{bullmq} }, ($got->{cpu} * 1e3 + ($redis->cpu - $cpu) / 1e3) / $jobs;
    return $jobs / $got->{send} * 1e3;
}

# messages a second, from the request to the last recorded outcome
sub campaign {
    my $concurrency = shift;
    my ($cpu, $from) = ($server->cpu, time);
    $server->send($client, $gateway, $audience{$concurrency}, $n, $channel{$concurrency});
    push @{ $cpu{worker} }, ($server->cpu - $cpu) / 1e3 / $n;
    return $n / (time - $from);
}

sub best { my %trial = @_; return (sort { $trial{$b} <=> $trial{$a} } keys %trial)[0] }

my $best = best(map { $_ => bullmq($jobs / 2, $_) } of_quick(64, 32), quick() ? () : (64, 128, 256));
campaign(256);
my $ours = best(map { $_ => campaign($_) } sort { $a <=> $b } keys %channel);
progress("BullMQ: a concurrency of $best is best; the worker: $ours");
%cpu = ();

my %got = rounds($rounds, bullmq => sub { bullmq($jobs, $best) }, campaign => sub { campaign($ours) });

row("BullMQ, concurrency $best", sprintf '%d/s', median(@{ $got{bullmq} }));
row("one worker, concurrency $ours ÷ that", sprintf('%d/s', median(@{ $got{campaign} })), ratio => ratio($got{campaign}, $got{bullmq}), least => 8);
row('CPU a message: Node and Redis', sprintf '%.0f us', median(@{ $cpu{bullmq} }));
row('CPU a message: the worker ÷ that', sprintf('%.0f us', median(@{ $cpu{worker} })), ratio => ratio($cpu{worker}, $cpu{bullmq}));

$_->stop for $server, $redis, $gateway;
system('rm', '-rf', "$out/redis-aof");
