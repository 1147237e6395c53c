# When messages leave: schedules, rates, shares, and what stops them.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep time);

gateway(sub {
    my $r = shift;

    return { delay => 0.05 } if $r->{path} =~ m{\A/(?:narrow|crowd|abreast)\z};
    return { until => 'go' } if $r->{path} eq '/held';
    return { until => 'enough' } if $r->{path} eq '/many';
    return { until => 'alive' } if $r->{path} eq '/dead';
    return { until => 'active' } if $r->{path} eq '/back';
    return 503 if $r->{path} eq '/refusing';
    return 200;
});

# an API that the kernel spreads over the workers
my $spread = $ENV{TEST_NGINX_SERVER_PORT} + 3;

$Campaign::HttpConfig .= <<"END";
campaign_retry attempts=3 min=20ms max=60ms;
server {
    listen 127.0.0.1:$spread reuseport;
    location /v1/ { campaign_api; }
    location = /pid { return 200 \$pid; }
}
END
$Campaign::Config .= join '', (map { channel($_, '') } qw(STATES TIMED RATE SHARED STOP PROBE FASTER SLOWER PAUSE CANCEL OFF SPREAD)),
    channel('NARROW', 'concurrency=4'), channel('CROWD', 'concurrency=64'), channel('HELD', 'concurrency=8'), channel('MANY', 'concurrency=4000'),
    channel('DEAD', 'concurrency=16'), channel('REFUSING', 'concurrency=16'), (map { channel($_, '') } qw(BESIDE USED)), channel('BACK', 'concurrency=8'),
    channel('ALONE', 'concurrency=1'), channel('ABREAST', 'concurrency=16', headers() . "proxy_set_header X-Start \$connection;\n");

Test::Nginx::Util::workers(3);
Test::Nginx::Util::add_block_preprocessor(sub {
    my $block = shift;
    $Campaign::Dispatch = $block->dispatch // 'on';

    # Test::Nginx restarts its server when this part differs
    $block->set_value(config => "# dispatch $Campaign::Dispatch\n" . ($block->config // ''));
});

# waits until the gateway got so many of a channel
sub got {
    my ($channel, $n) = @_;
    return wait_for { requests($channel) >= $n };
}

# lets time pass by the dispatcher's own clock: another account's campaign is sent, n messages at 100 a second
sub elapse {
    my $account = account(rate => 100, burst => 1);
    return settled($account, start($account, 'PROBE', to => [numbers($_[0])]))->{status} eq 'completed';
}

sub sum {
    my %n = %{ $_[0]{messages} };
    my $total = delete $n{total};
    my $sum = 0;
    $sum += $_ for values %n;
    return $sum == $total ? '' : "sum $sum of $total";
}

# each number once, no more requests than that
sub once { join(',', sent_by(requests($_[0]))) eq join ',', numbers($_[1]) }

run_tests();

__DATA__

=== TEST 1: a campaign goes on to its end, and its counters make up the total at any time
--- check
my $account = account(rate => 300, burst => 1);
my $c = start($account, 'STATES', to => [numbers(250)]);
my (@seen, @wrong);
my $last = '';
wait_for {
    my $now = $account->get("/campaigns/$c->{id}")->data;
    push @seen, $now->{status} if $now->{status} ne $last;
    push @wrong, sum($now) if sum($now);
    return ($last = $now->{status}) eq 'completed';
};
like("@seen", qr/\A(?:scheduled )?in_progress completed\z/, 'its status');
is_deeply(\@wrong, [], 'counters');
is(counts($account->get("/campaigns/$c->{id}")->data), 'completed: 250 sent of 250', 'at the end');
ok(once('STATES', 250), 'each number once');
my ($listed) = grep { $_->{id} eq $c->{id} } @{ $account->get('/campaigns')->data };
is(counts($listed), 'completed: 250 sent of 250', 'and so it is listed');


=== TEST 2: a scheduled campaign starts in its second, not before
--- check
my $account = account();
my $at = int(time) + 2;
my @t = gmtime $at;
my $schedule = sprintf '%d-%02d-%02d %02d:%02d:%02d', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
my $c = start($account, 'TIMED', to => [numbers(3)], schedule => $schedule);
is($c->{status}, 'scheduled', 'it waits');
is($c->{schedule}, $schedule, 'for its time');
is(counts(settled($account, $c)), 'completed: 3 sent of 3', 'it is sent');
my @late = map { $_->{time} - $at } requests('TIMED');
is(scalar(grep { $_ < 0 || $_ >= 1 } @late), 0, 'within its second') or diag "@late";


=== TEST 3: the account's rate holds: burst at once, then one message each hundredth of a second
--- check
my $account = account(rate => 100, burst => 10);
is(counts(settled($account, start($account, 'RATE', to => [numbers(200)]))), 'completed: 200 sent of 200', 'it is sent');
my @times = map { $_->{time} } requests('RATE');
my $took = $times[-1] - $times[0];
cmp_ok($took, '>', 1.85, 'not sooner than rate and burst allow');
cmp_ok($took, '<', 2.2, 'nor much later');
cmp_ok(most(1, @times), '<=', 110 + 5, 'no second holds more than rate and burst, as the gateway sees it: give or take 50 ms');
cmp_ok(most(0.02, @times[0 .. 20]), '>=', 9, 'the burst goes at once');
my @gaps = sort { $a <=> $b } map { $times[$_] - $times[$_ - 1] } 11 .. $#times;
cmp_ok(abs($gaps[@gaps / 2] - 0.01), '<', 0.004, 'the others one by one') or diag $gaps[@gaps / 2];


=== TEST 4: two campaigns of an account share its rate
--- check
my $account = account(rate => 200, burst => 10);
my $long = start($account, 'SHARED', to => [numbers(500)]);
ok(got('SHARED', 20), 'the long one is under way');
my $short = start($account, 'SHARED', to => [numbers(10)]);
is(counts(settled($account, $short)), 'completed: 10 sent of 10', 'the short one ends');
my $n = $account->get("/campaigns/$long->{id}")->data->{messages};
cmp_ok($n->{pending}, '>', 350, 'long before the long one') or diag json($n);
$account->put("/campaigns/$long->{id}", { status => 'canceled' });
settled($account, $long);


=== TEST 5: a disabled account sends nothing, and goes on when it is active again
--- check
my $account = account(rate => 200, burst => 10);
my $c = start($account, 'STOP', to => [numbers(200)]);
ok(got('STOP', 20), 'it is under way');
answered(admin()->put('/accounts/' . $account->id, { status => 'disabled' }), 200, 'disabled');
ok(elapse(10), 'time passes');
my $before = requests('STOP');
ok(elapse(50), 'and more');
is(scalar requests('STOP'), $before, 'nothing came meanwhile');
cmp_ok($before, '<', 150, 'and the campaign is not at its end');
answered(admin()->put('/accounts/' . $account->id, { status => 'active' }), 200, 'active');
is(counts(settled($account, $c)), 'completed: 200 sent of 200', 'it goes on to its end');
ok(once('STOP', 200), 'each number once');


=== TEST 6: a higher rate holds at once
--- check
my $account = account(rate => 10, burst => 1);
my $c = start($account, 'FASTER', to => [numbers(300)]);
ok(got('FASTER', 3), 'it is under way');
answered(admin()->put('/accounts/' . $account->id, { rate => 1000, burst => 100 }), 200, 'changed');
is(counts(settled($account, $c)), 'completed: 300 sent of 300', 'it is sent');
my @times = map { $_->{time} } requests('FASTER');
cmp_ok($times[-1] - $times[0], '<', 3, 'in a tenth of the time');


=== TEST 7: a lower rate holds at once
--- check
my $account = account(rate => 500, burst => 10);
my $c = start($account, 'SLOWER', to => [numbers(1000)]);
ok(got('SLOWER', 50), 'it is under way');
answered(admin()->put('/accounts/' . $account->id, { rate => 10, burst => 1 }), 200, 'changed');
my $from = time;
ok(elapse(20), 'what was claimed goes out');
my $before = requests('SLOWER');
my $at = time;
ok(elapse(60), 'time passes');
my $more = requests('SLOWER') - $before;
cmp_ok($more, '<=', 10 * (time - $at) + 2, 'at most ten a second');
cmp_ok($before, '<', 50 + 500 * ($from - (requests('SLOWER'))[49]{time}) + 500 * 0.2 + 50, 'little was left over from before');
answered($account->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'enough');
settled($account, $c);


=== TEST 8: a paused campaign stops, and goes on where it stopped
--- check
my $account = account(rate => 200, burst => 10);
my $c = start($account, 'PAUSE', to => [numbers(200)]);
ok(got('PAUSE', 20), 'it is under way');
my $r = $account->put("/campaigns/$c->{id}", { status => 'paused' });
answered($r, 200, 'paused');
is($r->data->{status}, 'paused', 'it says so');
cmp_ok(requests('PAUSE') - 20, '<', 130, 'in time');
my $claimed = $r->data->{messages}{total} - $r->data->{messages}{pending};
ok(elapse(50), 'time passes');
cmp_ok(scalar requests('PAUSE'), '<=', $claimed, 'nothing was claimed after the reply');
my $now = $account->get("/campaigns/$c->{id}")->data;
is(sum($now), '', 'counters make up the total');
is($now->{messages}{enroute}, 0, 'nothing is on its way');
is($now->{messages}{sent}, scalar requests('PAUSE'), 'what was sent is counted');
my $before = requests('PAUSE');
ok(elapse(30), 'time passes');
is(scalar requests('PAUSE'), $before, 'nothing more comes');
refused($account->delete("/campaigns/$c->{id}"), 409, 1612, 'it cannot be deleted');
answered($account->put("/campaigns/$c->{id}", { status => 'in_progress' }), 200, 'resumed');
is(counts(settled($account, $c)), 'completed: 200 sent of 200', 'it goes on to its end');
ok(once('PAUSE', 200), 'each number once');


=== TEST 9: a canceled campaign stops at once; what was in flight counts
--- check
my $account = account(rate => 5000, burst => 5000);
my $c = start($account, 'HELD', to => [numbers(500)]);
ok(got('HELD', 8), 'as many are in flight as the gateway takes');
refused($account->delete("/campaigns/$c->{id}"), 409, 1612, 'it cannot be deleted while it runs');
my $r = $account->put("/campaigns/$c->{id}", { status => 'canceled' });
answered($r, 200, 'canceled');
is($r->data->{status}, 'canceled', 'it says so');
gateway()->tell('go');
my $now;
wait_for { $now = $account->get("/campaigns/$c->{id}")->data; $now->{messages}{enroute} == 0 };
is(counts($now), 'canceled: 492 canceled, 8 sent of 500', 'counters');
ok(elapse(20), 'time passes');
is(scalar requests('HELD'), 8, 'nothing more came');
refused($account->put("/campaigns/$c->{id}", { status => 'in_progress' }), 409, 1611, 'it cannot be resumed');
is($account->delete("/campaigns/$c->{id}")->status, 204, 'it can be deleted');
refused($account->get("/campaigns/$c->{id}"), 404, 1601, 'and is gone');


=== TEST 10: cancelled at full speed: no message is claimed after the reply
--- check
my $account = account(rate => 1000, burst => 10);
for my $at (5, 100, 300) {
    my $before = requests('CANCEL');
    my $c = start($account, 'CANCEL', to => [numbers(1000)]);
    ok(wait_for { requests('CANCEL') >= $before + $at }, "under way, $at were sent");
    my $r = $account->put("/campaigns/$c->{id}", { status => 'canceled' });
    answered($r, 200, 'canceled');
    is(sum($r->data), '', 'its reply adds up');
    my $now;
    wait_for { $now = $account->get("/campaigns/$c->{id}")->data; $now->{messages}{enroute} == 0 };
    is(sum($now), '', 'so does its end');
    my $sent = requests('CANCEL') - $before;
    is($now->{messages}{sent}, $sent, 'what came to the gateway was counted');
    cmp_ok($sent, '<=', 1000 - $r->data->{messages}{canceled}, 'nothing was claimed after the reply');
    is($now->{messages}{canceled}, 1000 - $sent, 'all others are canceled');
    cmp_ok($sent, '<', 900, 'and they are many');
}
ok(elapse(20), 'time passes');
is(scalar(keys %{ { map { $_->{id} => 1 } requests('CANCEL') } }), scalar requests('CANCEL'), 'and none came twice');


=== TEST 11: a campaign that another worker created starts at once
--- check
my $account = account();
my $spread = $ENV{TEST_NGINX_SERVER_PORT} + 3;
open my $log, '<', Test::Nginx::Util::server_root() . '/logs/error.log' or die $!;
my ($dispatcher) = (join '', <$log>) =~ /.* (\d+)#\d+: .*took over/s or die 'who is it?';
$account->sender(channel => 'SPREAD');
my (%workers, @late);
my $soon = sub { my @of = sort { $a <=> $b } @late[-12 .. -1]; return $of[5] < 0.025 };
for my $n (1 .. 120) {
    # a hint is followed at once, without one the dispatcher looks each tenth of a second; a busy machine gets three tries to tell them apart
    last if @late && @late % 12 == 0 && keys %workers == 2 && $soon->();
    my $http = HTTP::Tiny->new(keep_alive => 1, timeout => 10);
    my $pid = $http->get("http://127.0.0.1:$spread/pid")->{content};
    next if $pid == $dispatcher;
    last if @late == 36;
    $workers{$pid}++;
    my $before = requests('SPREAD');
    my $r = $http->post("http://127.0.0.1:$spread/v1/campaigns", {
        headers => { 'X-Dexatel-Key' => $account->key, 'Content-Type' => 'application/json' },
        content => json({ data => { from => 'Acme', channel => 'SPREAD', text => 'Hello', to => ['15551234567'] } }) });
    my $created = time;
    $r->{status} == 201 && wait_for { requests('SPREAD') > $before } or return fail("created in $pid, but not sent: $r->{status}");
    push @late, (requests('SPREAD'))[-1]{time} - $created;
}
is(keys %workers, 2, 'both other workers were asked') or diag json(\%workers);
ok($soon->(), 'at once, not at its next look') or diag "@late";
cmp_ok((sort { $b <=> $a } @late)[0], '<', 0.5, 'at any rate') or diag "@late";


=== TEST 12: accounts share the slots of a slow gateway
--- check
my @accounts = map { account(rate => 10000, burst => 1000) } 1 .. 3;
my $long = start($accounts[0], 'NARROW', to => [numbers(500)], text => 'long');
ok(got('NARROW', 8), 'the long one is under way');
my @short = map { start($accounts[$_], 'NARROW', to => [numbers(12)], text => 'short') } 1, 2;
is(counts(settled($accounts[$_], $short[$_ - 1])), 'completed: 12 sent of 12', 'a short one ends') for 1, 2;
my @r = requests('NARROW');
$accounts[0]->put("/campaigns/$long->{id}", { status => 'canceled' });
my @text = map { decode($_->{body})->{data}{text} } @r;
my ($first) = grep { $text[$_] eq 'short' } 0 .. $#text;
my ($last) = reverse grep { $text[$_] eq 'short' } 0 .. $#text;
cmp_ok($last - $first + 1 - 24, '<=', 18, 'while the long one got a share like theirs');
cmp_ok($last - $first + 1 - 24, '>=', 6, 'and no less');
is(most(0.0495, map { $_->{time} } @r), 4, 'never more at once than the gateway takes, and as many');
settled($accounts[0], $long);


=== TEST 13: whatever the number of their campaigns
--- check
my @accounts = map { account(rate => 10000, burst => 1000) } 1, 2;
my @long = map { start($accounts[0], 'CROWD', to => [numbers(40)], text => 'long') } 1 .. 80;
ok(got('CROWD', 200), 'an account with more campaigns than there are slots is under way');
my $short = start($accounts[1], 'CROWD', to => [numbers(200)], text => 'short');
is(counts(settled($accounts[1], $short)), 'completed: 200 sent of 200', 'another one with one campaign ends');
my @text = map { decode($_->{body})->{data}{text} } requests('CROWD');
$accounts[0]->put("/campaigns/$_->{id}", { status => 'canceled' }) for @long;
my ($first) = grep { $text[$_] eq 'short' } 0 .. $#text;
my ($last) = reverse grep { $text[$_] eq 'short' } 0 .. $#text;
cmp_ok($last - $first + 1 - 200, '<=', 260, 'its messages are about half of those that went meanwhile');
cmp_ok($last - $first + 1 - 200, '>=', 140, 'and no more');
settled($accounts[0], $_) for @long;


=== TEST 14: without connections messages wait; none is lost, none comes twice
--- check
my $account = account(rate => 100000, burst => 10000);
my $c = start($account, 'MANY', to => [numbers(1500)]);
my $said = sub {
    open my $log, '<', Test::Nginx::Util::server_root() . '/logs/error.log' or die $!;
    return scalar grep { /messages wait, worker_connections are used up/ } <$log>;
};
ok(wait_for(sub { $said->() }), 'connections are used up');
gateway()->tell('enough');
is(counts(settled($account, $c, 20)), 'completed: 1500 sent of 1500', 'all are sent');
ok(once('MANY', 1500), 'each number once');
is($said->(), 1, 'and the log said so once: see t/fault/connections.t');


=== TEST 15: with campaign_dispatch off the API takes campaigns and nothing is sent
--- dispatch: off
--- check
our $waiting = account();
our $left = start($waiting, 'OFF', to => [numbers(5)]);
ok(!wait_for(sub { scalar requests('OFF') }, 0.6), 'nothing comes');
like(counts($waiting->get("/campaigns/$left->{id}")->data), qr/: 5 pending of 5\z/, 'all wait');


=== TEST 16: what waited is sent by a server that dispatches
--- check
our ($waiting, $left);
is(counts(settled($waiting, $left)), 'completed: 5 sent of 5', 'it is sent');
ok(once('OFF', 5), 'each number once');


=== TEST 17: a dead gateway keeps back nothing of the same account's on another channel
--- check
# beside: another campaign of the account, at its rate of 200 a second.  What goes to the other gateway meanwhile is part of the rate
sub beside {
    my ($account, $other) = @_;
    my ($before, $others) = map { scalar requests($_) } 'BESIDE', $other;
    is(counts(settled($account, start($account, 'BESIDE', to => [numbers(301)]))), 'completed: 301 sent of 301', "$other: the other campaign ends");
    my @at = map { $_->{time} } (requests('BESIDE'))[$before .. $before + 300];
    my @meanwhile = grep { $_->{time} > $at[0] && $_->{time} < $at[-1] } (requests($other))[$others .. requests($other) - 1];
    my $took = $at[-1] - $at[0];
    my $due = (300 + @meanwhile) / 200;
    my ($gap) = sort { $b <=> $a } map { $at[$_] - $at[$_ - 1] } 1 .. $#at;
    cmp_ok($took, '<', $due + 0.1, 'at the rate of the account');
    cmp_ok($took, '>', $due - 0.1, 'and no faster');
    cmp_ok($gap, '<', 0.1, 'without a pause');
    Test::More::note sprintf '%s: %.3f s, %.3f expected, longest gap %.3f s, %d others meanwhile', $other, $took, $due, $gap, scalar @meanwhile;
}
my $account = account(rate => 200, burst => 1);
my $dead = start($account, 'DEAD', to => [numbers(100)]);
ok(got('DEAD', 16), 'a campaign is as far as its gateway goes, which never answers');
beside($account, 'DEAD');
is(scalar requests('DEAD'), 16, 'the dead gateway got no more');
like(counts($account->get("/campaigns/$dead->{id}")->data), qr/\Ain_progress: 16 enroute, 84 pending of 100\z/, 'its campaign waits');
$account->put("/campaigns/$dead->{id}", { status => 'canceled' });
gateway()->tell('alive');
ok(wait_for(sub { $account->get("/campaigns/$dead->{id}")->data->{messages}{enroute} == 0 }), 'in the end it answers');

my $refused = start($account, 'REFUSING', to => [numbers(100)]);
ok(got('REFUSING', 16), 'a campaign is under way to a gateway that answers 503');
beside($account, 'REFUSING');
is($account->get("/campaigns/$refused->{id}")->data->{status}, 'in_progress', 'the refused campaign is under way all the while');
answered($account->put("/campaigns/$refused->{id}", { status => 'canceled' }), 200, 'enough');


=== TEST 18: recipients go in the order in which they were given, one at a time and several at once
--- check
# neither the order of their numbers nor the one they were sorted from
my @to = map { 15550000000 + $_ * 7919 % 1009 . '' } 1 .. 300;
my $account = account(rate => 10000, burst => 100);
for my $channel (qw(ALONE ABREAST)) {
    my $audience = $account->audience(channel => $channel, contacts => [map { { number => $_ } } @to]);
    for my $recipients ({ to => [@to] }, { to => undef, audience => $audience->{id} }) {
        my $before = requests($channel);
        my $c = start($account, $channel, %$recipients);
        is(counts(settled($account, $c)), 'completed: 300 sent of 300', "$channel: sent");
        my @r = (requests($channel))[$before .. $before + 299];
        @r = sort { $a->{header}{'x-start'} <=> $b->{header}{'x-start'} } @r if $channel eq 'ABREAST';
        is(join(',', map { decode($_->{body})->{data}{to}[0] } @r), join(',', @to), $recipients->{to} ? 'in the order of the request' : 'in the order of the contacts');
    }
}
is(most(0.0495, map { $_->{time} } requests('ABREAST')), 16, 'sixteen of them at once');


=== TEST 19: the sender of a campaign that runs stays, and so does its account
--- check
my $account = account(rate => 300, burst => 1);
my $c = start($account, 'USED', to => [numbers(200)]);
ok(got('USED', 20), 'it is under way');
my $sender = $account->{senders}{USED};
my $before = admin()->get('/accounts/' . $account->id)->data;
refused($account->delete("/senders/$sender->{id}"), 409, 1158, 'the sender is in use');
refused(admin()->delete('/accounts/' . $account->id), 409, 1914, 'and so is the account');
is($account->get("/campaigns/$c->{id}")->data->{status}, 'in_progress', 'the campaign runs on');
is_deeply(admin()->get('/accounts/' . $account->id)->data, $before, 'the account is what it was');
is_deeply($account->get("/senders/$sender->{id}")->data, $sender, 'and the sender');
answered($account->put("/campaigns/$c->{id}", { status => 'paused' }), 200, 'paused');
refused($account->delete("/senders/$sender->{id}"), 409, 1158, 'of a paused one, too');
answered($account->put("/campaigns/$c->{id}", { status => 'in_progress' }), 200, 'resumed');
is(counts(settled($account, $c)), 'completed: 200 sent of 200', 'it goes on to its end');
ok(once('USED', 200), 'each number once');
answered($account->delete("/senders/$sender->{id}"), 204, 'then the sender may go');
is($account->get("/campaigns/$c->{id}")->data->{from}, 'Acme', 'its campaign knows it by name');
refused(admin()->delete('/accounts/' . $account->id), 409, 1914, 'the account not before its campaign');
is($account->delete("/campaigns/$c->{id}")->status, 204, 'which goes');
is(admin()->delete('/accounts/' . $account->id)->status, 204, 'and then the account');


=== TEST 20: of an account that is disabled nothing is claimed after the reply
--- check
my $account = account(rate => 5000, burst => 5000);
my $c = start($account, 'BACK', to => [numbers(500)]);
ok(got('BACK', 8), 'as many are in flight as the gateway takes');
answered(admin()->put('/accounts/' . $account->id, { status => 'disabled' }), 200, 'disabled');
gateway()->tell('active');
ok(elapse(50), 'these are answered, and time passes');
is(scalar requests('BACK'), 8, 'none took the place of one of them');
answered(admin()->put('/accounts/' . $account->id, { status => 'active' }), 200, 'active');
is(counts(settled($account, $c)), 'completed: 500 sent of 500', 'it goes on to its end');
ok(once('BACK', 500), 'each number once');
