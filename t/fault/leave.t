# A worker that exits has messages in flight at a gateway that takes its time: delivery goes on at once, in the next worker.  Each answer counts,
# whoever has sent the message; if nobody is left who could hear it, the message's fate is not known.  tools/test --long reloads each half second
# for a minute, while answers take nearly as long as nginx waits for them.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);

plain_only();

# more than the 8192 places that recovery walks at most lie between the first message that hangs and the last one
my ($hung, $reload, $odd, $rate, $many) = long() ? (45, 120, 100, 250, 16000) : (15, 12, 100, 1500, 12000);

# some messages of HANG wait for their answer; the others take what they ask for in their text
gateway(sub {
    my $data = decode($_[0]{body})->{data};
    return { status => $_[0]{header}{'x-attempt'} == 1 ? 503 : 200, delay => $1 } if $data->{text} =~ /wait ([\d.]+) and fail/;
    return { delay => $1 } if $data->{text} =~ /wait ([\d.]+)/;
    return { delay => $data->{to}[0] % $odd == 0 ? $hung : 0.01 };
});

my $server = Campaign::Server->new(workers => 2,
    server => channel('HANG', 'concurrency=256') . channel('FEW', 'concurrency=4') . channel('AGAIN', 'concurrency=16')
              . channel('SLOW', 'concurrency=16'),
    http => "server { listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]}; campaign_redelivery off;\n"
            . channel('ONCE', 'concurrency=16') . "}\n");

sub handed { my $n = () = $server->log_text =~ /handed over, epoch/g; $n }

sub reload_when_sent {
    my ($channel, $n) = @_;
    wait_for { requests($channel) >= $n } or fail("$channel: $n requests");
    my $before = handed();
    my $pid = $server->dispatcher;
    $server->signal('HUP');
    wait_for { handed() > $before } or fail('the dispatcher hands over');
    wait_for { my $now = $server->dispatcher; $now && $now != $pid } or fail('another one takes over');
    return $pid;
}

subtest 'reloads one after the other, at a gateway where some answers hang: no gap, no loss, no double' => sub {
    my $account = account(rate => $rate, burst => 1);
    my $c = start($account, 'HANG', to => [numbers($many)]);
    my ($reloads, $next) = (0, 0);

    wait_for { requests('HANG') > 20 };
    wait_for {
        if (time >= $next && $reloads < $reload) { $server->signal('HUP'); $reloads++; $next = time + 0.5 }
        return requests('HANG') >= $many;
    } 30 + $reload;

    my @r = requests('HANG');
    my @times = sort { $a <=> $b } map { $_->{time} } @r;
    my @gaps = sort { $a <=> $b } map { $times[$_] - $times[ $_ - 1 ] } 1 .. $#times;
    cmp_ok($gaps[ @gaps * 0.99 ], '<=', 0.2, '99 % of the gaps are below 0.2 s');
    cmp_ok($gaps[-1], '<', $hung / 3, 'and none is as long as an answer takes');

    my $before = $account->get("/campaigns/$c->{id}")->data;
    is($before->{status}, 'in_progress', 'the last answers are still to come');
    cmp_ok(scalar $server->workers, '>', 2, 'in workers that have left');

    is(counts(settled($account, $c, $hung + 20)), "completed: $many sent of $many", 'they come');
    @r = requests('HANG');
    is(join(' ', scalar @r, scalar keys %{ { map { $_ => 1 } sent_by(@r) } }), "$many $many", 'each number was reached once');
    is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');
    ok(wait_for(sub { $server->workers == 2 }, 10), 'who has its answers goes');
    diag sprintf '%d reloads in %.1f s, %d of them handed over, 99 %% of the gaps below %.0f ms, the longest %.0f ms', $reloads,
        $times[-1] - $times[0], handed(), 1000 * $gaps[ @gaps * 0.99 ], 1000 * $gaps[-1];
};

subtest 'messages that were handed over take slots of their gateway' => sub {
    my $account = account(rate => 1000, burst => 100);
    my $c = start($account, 'FEW', text => 'wait 3', to => [numbers(8)]);

    reload_when_sent('FEW', 4);
    is(counts(settled($account, $c, 20)), 'completed: 8 sent of 8', 'all are sent');
    my @t = sort { $a <=> $b } map { $_->{time} } requests('FEW');
    cmp_ok($t[4] - $t[0], '>=', 2.9, 'the fifth of four at once waits for an answer');
};

subtest 'an answer that asks for a repeat: the next dispatcher repeats' => sub {
    my $account = account(rate => 1000, burst => 100);
    my $c = start($account, 'AGAIN', text => 'wait 2 and fail', to => [numbers(3)]);
    my $pid = reload_when_sent('AGAIN', 3);

    is(counts($account->get("/campaigns/$c->{id}")->data), 'in_progress: 3 enroute of 3', 'three are in flight');
    is(counts(settled($account, $c, 20)), 'completed: 3 sent of 3', 'they are sent');
    ok(Campaign::Server::gone(5, $pid), 'the old worker has ended');
    my @r = requests('AGAIN');
    is(join(' ', sort map { $_->{header}{'x-attempt'} } @r), '1 1 1 2 2 2', 'at the second attempt');
    is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), 3, 'with the same ids');
};

for (['SLOW', 'goes again with the same id', 'completed: 3 sent of 3', 6], ['ONCE', 'fails where nothing is sent twice', 'failed: 3 failed of 3', 3]) {
    my ($channel, $what, $end, $times) = @$_;

    subtest "what a worker has handed over and does not live to record $what" => sub {
        my $account = account(rate => 1000, burst => 100);
        my $c = start($account, $channel, text => 'wait 4', to => [numbers(3)]);
        my $pid = reload_when_sent($channel, 3);

        my $at = time;
        $server->signal(KILL => $pid);
        is(counts(settled($account, $c, 20)), $end, $what);
        my @r = requests($channel);
        is(scalar @r, $times, 'so many requests');
        is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), 3, 'of three ids');
        cmp_ok(max(map { $_->{time} } @r) - $at, '<', 2, 'soon') if @r > 3;
    };
}

is($server->alerts(qr/exited on signal 9/), '', 'nothing in the log');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
