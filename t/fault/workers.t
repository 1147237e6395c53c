# Another number of workers, in mid-campaign, by reload and with a new binary: nothing lost, nothing doubled, the rate holds, and old workers leave
# as soon as their deliveries are recorded.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use HTTP::Tiny ();
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

my @numbers = (4, 1, 3, 2, 1, 4, 2, 3, 1, 1, 4, 2);             # of workers, one after the other; 2 at first
my ($rate, $burst) = (300, 100);
my $many = $rate * (@numbers + 3);

# the answer to some takes longer than a reload
gateway(sub { { delay => decode($_[0]{body})->{data}{to}[0] % 50 ? 0.03 : 0.4 } });

my $server = Campaign::Server->new(workers => 2, server => channel('WORKERS', 'concurrency=64') . channel('UPGRADE', 'concurrency=64')
    . 'location = /status { campaign_status; }');

# calls of the API, each on a connection of its own: one that is kept open may be closed by a worker that ends
my (@refused, @slow);
my $asked = 0;

sub asks {
    my ($account, $campaign) = @_;
    my $at = time;
    my $r = nobody($account->key)->get("/campaigns/$campaign->{id}");
    $asked++;
    push @slow, time - $at if time - $at > 1;
    return $r->data if $r->status == 200;
    push @refused, $r->status . ' ' . substr $r->body // '', 0, 200;
    return undef;
}

# until it is true, the API is asked
sub while_asked {
    my ($account, $campaign, $seconds, $condition) = @_;
    return wait_for { asks($account, $campaign); $condition->() } $seconds;
}

sub status { decode(HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status")->{content})->{data} }

# what campaign_status says of a campaign that has ended; how much waits it learns each second
sub told {
    my ($account, $channel) = @_;
    my $a;
    wait_for {
        ($a) = grep { $_->{account_id} eq $account->id && $_->{channel} eq $channel } @{ status()->{accounts} };
        return $a && $a->{in_flight} + $a->{waiting} == 0;
    } 3;
    return $a // {};
}

# each message went once, within the rate
sub well {
    my ($channel, $n) = @_;
    my @r = requests($channel);
    my @times = sort { $a <=> $b } map { $_->{time} } @r;

    is(join(',', sent_by(@r)), join(',', numbers($n)), "$channel: each number was reached once");
    is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), $n, 'with an id of its own');
    is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');
    cmp_ok(most(1, sort { $a <=> $b } map { $_->{header}{'x-sent'} } @r), '<=', $rate * 1.005 + $burst, 'no second holds more than rate and burst');
    cmp_ok(most(1, @times), '<=', $rate * 1.1 + $burst, 'nor does it as the gateway sees it: give or take 100 ms');

    return \@times;
}

{
    my $account = account(rate => $rate, burst => $burst);
    my $c = start($account, 'WORKERS', to => [numbers($many)]);
    my (@left, @wrong);

    ok(while_asked($account, $c, 10, sub { requests('WORKERS') >= $burst }), 'a campaign is under way');

    for my $n (@numbers) {
        my @old = $server->workers;
        my $at = time;

        $server->configure(workers => $n);
        $server->signal('HUP');

        # the old ones leave, and as many new ones are there
        my $gone = while_asked($account, $c, 10, sub {
            my %now = map { $_ => 1 } $server->workers;
            return keys %now == $n && !grep { $now{$_} } @old;
        });
        push @left, time - $at;
        push @wrong, "to $n: " . join ' ', $server->workers if !$gone;

        # and the dispatcher is one of them
        my $sent = requests('WORKERS');
        push @wrong, "$n: it does not go on" if !while_asked($account, $c, 5, sub { requests('WORKERS') > $sent + 50 });
        my $d = status()->{dispatcher};
        push @wrong, "$n: dispatcher $d->{pid} is none of " . join ' ', $server->workers if !$d->{up} || !grep { $_ == $d->{pid} } $server->workers;
    }
    is_deeply(\@wrong, [], 'after each reload there are as many workers as it says, one of them is the dispatcher, and it goes on');
    is(asks($account, $c)->{status}, 'in_progress', 'the campaign outlasts the reloads');
    cmp_ok(max(@left), '<', 2, 'old workers leave as soon as what they have on its way is recorded');

    is(counts(settled($account, $c, 30)), "completed: $many sent of $many", 'it ends');
    my $times = well('WORKERS', $many);
    is(join(' ', @{ told($account, 'WORKERS') }{qw(sent failed retried in_flight waiting)}), "$many 0 0 0 0", 'campaign_status tells so');

    # from the first reload to the last one
    my @gaps = sort { $a <=> $b } map { $times->[$_] - $times->[ $_ - 1 ] } 1 .. $#$times;
    cmp_ok($gaps[-1], '<', 1, 'and at no time does sending stand still');
    my $taken = () = $server->log_text =~ /took over/g;
    cmp_ok($taken, '>', @numbers / 2, 'dispatchers of many generations took part');
    diag sprintf '%d reloads, workers replaced after %.2f s at most, %.1f messages a second, at most %d in one, longest gap %.3f s, %d calls', scalar @numbers, max(@left),
        ($many - $burst) / ($times->[-1] - $times->[0]), most(1, @$times), $gaps[-1], $asked;
}

# USR2, then QUIT to the old master
{
    my $account = account(rate => $rate, burst => $burst);
    my $n = 6 * $rate;
    my $c = start($account, 'UPGRADE', to => [numbers($n)]);
    my $sent = $burst;

    for my $workers (4, 1) {
        my $old = $server->{master};

        ok(while_asked($account, $c, 10, sub { requests('UPGRADE') >= $sent }), "$sent messages are sent");
        $server->configure(workers => $workers);
        $server->signal('USR2');
        my $new = while_asked($account, $c, 10, sub {
            my $pid = $server->master;
            return $pid && $pid != $old && Campaign::Server::children($pid) == $workers && $pid;
        });
        ok($new, "a new master has $workers");
        $server->signal(QUIT => $old);
        ok(while_asked($account, $c, 10, sub { !Campaign::Server::alive($old) }), 'the old one ends');
        $server->{master} = $new;
        is(scalar $server->workers, $workers, 'and no other worker is there');
        $sent = requests('UPGRADE') + 2 * $rate;
    }
    is(counts(settled($account, $c, 20)), "completed: $n sent of $n", 'the campaign ends');
    well('UPGRADE', $n);
    my $told = told($account, 'UPGRADE');           # each binary counts from its own start
    is(join(' ', @$told{qw(failed retried in_flight waiting)}), '0 0 0 0', 'campaign_status tells so');
    cmp_ok($told->{sent}, '>=', $rate, 'of what went since the last binary');
}

is_deeply(\@refused, [], 'each of the calls meanwhile was answered');
is(scalar @slow, 0, 'within a second') or diag "@slow";
is($server->alerts, '', 'nothing in the log');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
