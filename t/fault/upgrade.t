# A new binary takes the place of a running one in mid-campaign: USR2, then QUIT to the old master.  And it is tried and sent away again: USR2, WINCH to
# the old master, whose workers leave; HUP to it, they come again; QUIT to the new one.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

my $many = 1500;
my ($rate, $burst) = (500, 10);

gateway(sub { { delay => 0.03 } });

my $server = Campaign::Server->new(workers => 2, server => join '', map { channel($_, 'concurrency=64') } qw(UPGRADE BACK));
my $account = account(rate => $rate, burst => $burst);

# of this master; while a new binary runs, its master is a child of the old one
sub workers { my ($master, $other) = @_; return grep { $_ != ($other // 0) } Campaign::Server::children($master) }

sub upgraded {
    my $old = shift;
    $server->signal(USR2 => $old);
    return wait_for { my $pid = $server->master; $pid && $pid != $old && workers($pid) >= 2 && $pid };
}

# these workers alone send
sub sending {
    my ($channel, @pids) = @_;
    my $is = wait_for { my $pid = $server->dispatcher; $pid && grep { $_ == $pid } @pids };
    my $sent = requests($channel);
    return $is && wait_for { requests($channel) > $sent + 20 };
}

# each message went once, within the rate
sub well {
    my ($c, $channel) = @_;

    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');

    my @r = requests($channel);
    is(join(',', sent_by(@r)), join(',', numbers($many)), 'each number was reached once');
    is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');
    cmp_ok(most(1, sort { $a <=> $b } map { $_->{header}{'x-sent'} } @r), '<=', $rate * 1.005 + $burst, 'no second holds more than rate and burst');
    is($server->alerts, '', 'nothing in the log');
}

{
    my $c = start($account, 'UPGRADE', to => [numbers($many)]);

    for my $n (200, 600) {
        my $old = $server->{master};

        ok(wait_for(sub { requests('UPGRADE') >= $n }), "$n messages are sent");
        my $new = upgraded($old);
        ok($new, 'a new master has workers');
        $server->signal(QUIT => $old);
        ok(Campaign::Server::gone(20, $old), 'the old one ends');
        $server->{master} = $new;
        cmp_ok(scalar requests('UPGRADE'), '<', $many, 'before the campaign does');
    }
    well($c, 'UPGRADE');
}

{
    my $c = start($account, 'BACK', to => [numbers($many)]);
    my $old = $server->{master};
    my @refused;

    # a connection of its own for each call: one that is kept open may be closed by a worker that ends
    my $asks = sub {
        my $r = nobody($account->key)->get("/campaigns/$c->{id}");
        push @refused, $r->status . ' ' . $r->body if $r->status != 200;
    };
    my $asked_until = sub { my $condition = shift; wait_for { $asks->(); $condition->() } };

    for my $n (100, 600) {
        ok($asked_until->(sub { requests('BACK') >= $n }), "$n messages are sent");
        my $new = upgraded($old);
        ok($new, 'a new master has workers');

        my @left = workers($old, $new);
        is(scalar @left, 2, 'beside those of the old one');
        $server->signal(WINCH => $old);
        ok($asked_until->(sub { !workers($old, $new) }), 'these leave');
        ok(Campaign::Server::alive($old), 'their master stays');
        ok(sending('BACK', workers($new)), 'the new binary sends');

        $server->signal(HUP => $old);
        ok($asked_until->(sub { workers($old, $new) == 2 }), 'the old one has workers again');
        ok(!(grep { my $pid = $_; grep { $_ == $pid } @left } workers($old, $new)), 'other ones');
        $server->signal(QUIT => $new);
        ok($asked_until->(sub { !Campaign::Server::alive($new) }), 'the new one ends');
        ok(wait_for(sub { ($server->master // 0) == $old }), 'the old one is the master again');
        ok(sending('BACK', workers($old)), 'and sends');
        is(scalar workers($old), 2, 'with two workers');
        cmp_ok(scalar requests('BACK'), '<', $many, 'before the campaign has ended');
    }
    well($c, 'BACK');
    is_deeply(\@refused, [], 'each of the calls meanwhile was answered');
}

ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
