# The end of a worker: told to exit, it does so, whoever keeps it waiting: a process that was stopped while it holds the store's write lock, a gateway
# that does not answer.  What a gateway answered before is on record; what could not be recorded is uncertain: it goes again with the same id, or
# fails where nothing is sent twice.  tools/test --long stops and starts the server 200 times under load.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Hold;
use Campaign::Sending;
use Campaign::Server;
use IO::Socket::INET;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

my $bound = 8;                                  # s, in which a process ends that waits for the lock alone
my $rounds = long() ? 200 : 6;
my $slots = 32;
my $takes = 0.02;                               # s, for each message that asks for nothing else
my $margin = 0.5;                               # s, in which nginx has read an answer, however busy the machine

gateway(sub {
    return { until => 'never' } if $_[0]{path} eq '/held';
    my $text = decode($_[0]{body})->{data}{text};
    return $text =~ /until (\w+)/ ? { until => $1 } : { delay => $text =~ /wait ([\d.]+)/ ? $1 : $takes };
});

sub channels { join '', map { channel($_, "concurrency=$slots") } @_ }

sub server {
    my (%options) = @_;
    return Campaign::Server->new(workers => 2,
        server => (delete $options{webhook} // '') . channels(qw(LEFT AGAIN LATE SOON STOP LOAD CUT)) . 'location = /status { campaign_status; }',
        http => "server { listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]}; campaign_redelivery off;\n"
                . channels(qw(ONCE ENDED AWAY GONE)) . "}\n",
        %options);
}

my $server = server();
my $hold = Campaign::Hold->new;
my $account = account(rate => 2000, burst => 100);

# a campaign whose messages are all at the gateway
sub sent {
    my ($channel, $n, $text) = @_;
    my $c = start($account, $channel, text => $text, to => [numbers($n)]);
    wait_for { requests($channel) >= $n } or fail("$channel: $n requests");
    return $c;
}

# the lock is held by a process that is stopped, until it goes on
sub stopped { $hold->hold(100) && kill STOP => $hold->pid }
sub go_on { kill CONT => $hold->pid; return $hold->done }

# lines of a process that are alerts of its end, or any of this kind
sub said {
    my ($pid, $what) = @_;
    return grep { /\b$pid#\d+: .*$what/ } split /\n/, $server->log_text;
}

# the process ends in time, and says once for whom it did not wait
sub ends_without {
    my ($pid, $from, $seconds, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(Campaign::Server::gone(20, $pid), "$title: ends") or return;
    my $took = time - $from;
    cmp_ok($took, '<', $seconds, "$title: in time");
    my @said = said($pid, 'ends without its last writes');
    is(scalar @said, 1, "$title: the log says so once");
    like($said[0] // '', qr/\[alert\].*process @{[ $hold->pid ]} holds the lock/, "$title: and who has the lock");
    diag sprintf '%s: %.1f s', $title, $took;
}

sub in_flight {
    my $channel = shift;
    my $status = decode(HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status")->{content})->{data};
    my ($g) = grep { $_->{channel} eq $channel } @{ $status->{gateways} // [] };
    return $g ? $g->{in_flight} : -1;
}

# each number once more, with the same id, and as a later try
sub again {
    my ($channel, $n, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my (%ids, %tries);
    for (requests($channel)) { $ids{ $_->{id} }++; $tries{ $_->{header}{'x-attempt'} }++ }
    is_deeply([scalar keys %ids, @tries{1, 2}, scalar keys %tries], [$n, $n, $n, 2], "$title: with the same ids");
}

sub uncertain { $account->get("/campaigns/$_[0]{id}/report")->data->{uncertain} }

# a reload, while messages are in flight: who has them, and another one is at work
sub handed_over {
    my $old = $server->dispatcher;
    my $before = () = $server->log_text =~ /handed over, epoch/g;
    $server->signal('HUP');
    wait_for { $before < (() = $server->log_text =~ /handed over, epoch/g) } or fail('a dispatcher hands over');
    wait_for { my $now = $server->dispatcher; $now && $now != $old } or fail('another one takes over');
    return $old;
}

subtest 'a worker that handed over leaves as soon as its answers are recorded' => sub {
    my $c = sent('SOON', 8, 'until soon');
    my $old = handed_over();
    my $from = time;
    gateway()->tell('soon');
    ok(Campaign::Server::gone(10, $old), 'it ends');
    my $took = time - $from;
    cmp_ok($took, '<', 2, 'at once');
    is(counts(settled($account, $c, 1)), 'completed: 8 sent of 8', 'all is recorded');
    diag sprintf 'the last answer, and a worker leaves: %.2f s', $took;
};

subtest 'workers that are to exit, and a stopped process has the write lock' => sub {
    my $left = sent('LEFT', 4, 'wait 2');
    my $old = handed_over();
    my $dispatcher = $server->dispatcher;

    my $again = sent('AGAIN', 4, 'wait 1');
    my $once = sent('ONCE', 4, 'wait 1');
    my %before = map { $_ => 1 } $server->workers;
    ok(stopped(), 'the lock is held');

    my $from = time;
    my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Timeout => 5) or die "connect: $!\n";
    print $client request(POST => '/v1/templates', [$account->header, 'Content-Type: application/json'],
        json({ data => { text => 'waits', channel => 'LOAD' } }));
    $client->flush;
    is($account->get('/templates')->status, 200, 'a client reads while another one waits');
    $server->signal('HUP');
    wait_for { 2 == grep { !$before{$_} } $server->workers } or fail('there are new workers');
    is($account->get("/campaigns/$again->{id}")->status, 200, 'new workers answer');

    like(do { local $/; <$client> } // '', qr{\AHTTP/1\.1 503 }, 'the client that wants to write is told so');
    close $client;

    ends_without($dispatcher, $from, $bound, 'the dispatcher');
    ends_without($old, $from, $bound, 'one that handed over before');
    ok(Campaign::Server::gone(5, keys %before), 'so do the others');
    cmp_ok(time - $from, '<', $bound, 'in time');
    is(scalar(said($dispatcher, 'what became of 8 messages is not on record')), 1, 'the log tells of eight messages of the one');
    is(scalar(said($old, 'what became of 4 messages is not on record')), 1, 'and of four of the other');

    ok(go_on(), 'the lock is free');
    is(counts(settled($account, $again, 15)), 'completed: 4 sent of 4', 'they go again');
    again('AGAIN', 4, 'the dispatcher\'s');
    is(counts(settled($account, $left, 15)), 'completed: 4 sent of 4', 'those that were handed over, too');
    again('LEFT', 4, 'those');
    is(counts(settled($account, $once, 15)), 'failed: 4 failed of 4', 'where nothing is sent twice, they fail');
    is(uncertain($once), 4, 'as uncertain');
    is(scalar(requests('ONCE')), 4, 'and were sent once');
};

subtest 'workers that are to end at once' => sub {
    my $left = sent('LATE', 4, 'until late');
    my $old = handed_over();
    my $dispatcher = $server->dispatcher;

    my $away = sent('AWAY', 3, 'until late');
    my $once = sent('ENDED', 4, 'wait 0.2');
    ok(stopped(), 'the lock is held');
    wait_for { in_flight('ENDED') == 0 } or fail('the answers come');

    my $from = time;
    $server->signal('TERM', $_) for $dispatcher, $old;
    ends_without($dispatcher, $from, $bound, 'TERM, to the dispatcher');
    ok(Campaign::Server::gone(1, $old), 'one that handed over does not wait for its answers');

    $from = time;
    $server->signal('TERM');
    ok(Campaign::Server::gone($bound, $server->{master}), 'the whole server ends, too');
    ok(go_on(), 'the lock is free');
    gateway()->tell('late');
    $server->start;
    is(counts(settled($account, $once, 15)), 'failed: 4 failed of 4', 'what was not recorded is uncertain');
    is(uncertain($once), 4, 'so says the report');
    is(counts(settled($account, $away, 15)), 'failed: 3 failed of 3', 'so is what had no answer yet');
    is(uncertain($away), 3, 'as the report says');
    is(counts(settled($account, $left, 15)), 'completed: 4 sent of 4', 'what was handed over goes again');
    again('LATE', 4, 'what was handed over');
};

for my $signal (qw(QUIT TERM)) {
    subtest "$signal, while answers are in memory: they are recorded as soon as the lock is free" => sub {
        my $at = requests('STOP');
        my $c = start($account, 'STOP', text => 'wait 0.2', to => [numbers(8)]);
        wait_for { requests('STOP') == $at + 8 } or fail('all are sent');
        ok($hold->hold(800), 'the lock is held');
        wait_for { in_flight('STOP') == 0 } or fail('the answers come');
        $server->signal($signal);
        ok(Campaign::Server::gone($bound, $server->{master}), 'the server ends');
        ok($hold->done, 'the lock was free meanwhile');
        $server->start;
        is(counts(settled($account, $c, 15)), 'completed: 8 sent of 8', 'all are sent');
        is(scalar(requests('STOP')), $at + 8, 'each once');
    };
}

subtest 'stopped and started under load: what the gateway answered is recorded' => sub {
    my $many = 1600;
    my ($done, %at, @bad) = (0);

    while ($done < $rounds) {
        my $first = requests('LOAD');
        my $c = start($account, 'LOAD', to => [numbers($many)]);
        my $round = 0;
        while ($done < $rounds && $round < 6) {
            my $want = $first + ++$round * $many / 8;
            wait_for { requests('LOAD') >= $want };
            my $signal = ++$done % 2 ? 'QUIT' : 'TERM';
            my $from = time;
            $server->signal($signal);
            Campaign::Server::gone(20, $server->{master}) or push @bad, "$signal: it does not end";
            push @{ $at{$signal} }, [$from, time];
            $server->start;
        }
        my $end = settled($account, $c, 60);
        push @bad, counts($end) if counts($end) ne "completed: $many sent of $many";

        my @r = requests('LOAD');
        my (%last, @again);
        for my $r (@r[$first .. $#r]) {
            push @again, [$last{ $r->{id} }, $r->{time}] if $last{ $r->{id} };
            $last{ $r->{id} } = $r->{time};
        }
        push @bad, keys(%last) . ' ids' if keys %last != $many;
        for my $pair (@again) {
            my ($was, $is) = @$pair;
            # TERM, and it may have cut its answer off; the gateway may read what a process has sent that is gone
            my ($term) = grep { $_->[1] + 0.1 > $was && $_->[0] < $is } @{ $at{TERM} };
            if (!$term) {
                my ($next) = sort { $a <=> $b } grep { $_ > 0 } map { $_->[0] - $was } map { @$_ } values %at;
                push @bad, sprintf('repeated after %.3f s, and nobody ended at once: the next end was %.3f s later', $is - $was, $next // -1);
            }
            my $answered = $term ? $term->[0] - $was - $takes : 0;
            push @bad, sprintf('repeated, and answered %.2f s before the end', $answered) if $answered > $margin;
        }
        my $terms = grep { $_->[0] > $r[$first]{time} } @{ $at{TERM} };
        push @bad, @again . " repeats, of $terms ends" if @again > $terms * $slots;
        note scalar(@again) . " repeats, $terms ends at once";
    }
    is(scalar @bad, 0, "$done times: nothing lost, repeated are only those that were in flight when all ended at once");
    diag $_ for @bad[0 .. ($#bad > 10 ? 10 : $#bad)];
};

my $stopped = qr/ends without its last writes|waiting for more than \d+ seconds to write/;
is($server->alerts($stopped), '', 'nothing else in the log');
ok($server->quit, 'the server ends');

$server = server(main => 'worker_shutdown_timeout 1s;', webhook => <<'END');
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    campaign_retry attempts=50 min=1m max=1m;
    proxy_pass $campaign_webhook_url;
    proxy_read_timeout 20s;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Idempotency-Key $campaign_webhook_id;
}
END

subtest 'worker_shutdown_timeout cuts deliveries off: they are uncertain' => sub {
    my $again = start($account, 'CUT', text => 'wait 4', to => [numbers(3)]);
    my $once = start($account, 'GONE', text => 'wait 4', to => [numbers(3)]);
    wait_for { requests('CUT') == 3 && requests('GONE') == 3 } or fail('all are sent');
    my $webhook = $account->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . '/held', event => 'campaign' });
    start($account, 'LOAD');
    wait_for { requests('HELD') } or fail('a webhook is called');

    my @old = $server->workers;
    my $from = time;
    $server->signal('HUP');
    ok(Campaign::Server::gone(20, @old), 'the old workers end');
    my $took = time - $from;
    cmp_ok($took, '>=', 0.9, 'not before');
    cmp_ok($took, '<', 3.5, 'and do not wait for the answers');
    is(counts(settled($account, $once, 10)), 'failed: 3 failed of 3', 'where nothing is sent twice, they fail');
    is(uncertain($once), 3, 'as uncertain');
    is(scalar(requests('GONE')), 3, 'and were sent once');
    wait_for { requests('CUT') == 6 } or fail('others go again');
    again('CUT', 3, 'others');
    is(counts(settled($account, $again, 10)), 'completed: 3 sent of 3', 'and are sent');
    is($account->get("/campaigns/$again->{id}/report")->data->{redelivered}, 3, 'as redelivered');
    is($account->get("/webhooks/$webhook->{id}")->data->{last_result}, 'timeout', 'a webhook that did not answer is told of later');
};

is($server->alerts, '', 'nothing in the log');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
