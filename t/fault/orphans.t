# The master alone is killed in mid-campaign: its workers serve and send on, and hold the port, so that no other nginx starts.  They are ended by QUIT, or
# by TERM, and nginx is started again: nothing is lost, what goes twice was in flight when a worker was killed or told to end at once.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

my %many = (QUIT => 2400, TERM => 1200);           # nginx tries for 2.5 s to get a port
my $slots = 64;
my $burst = 10;
my $rate = 500;

gateway(sub { { delay => 0.03 } });

my $server = Campaign::Server->new(workers => 2, server => channel('QUIT', "concurrency=$slots") . channel('TERM', "concurrency=$slots"));
my $account = account(rate => $rate, burst => $burst);
my %orphans;

my $parent = $$;
END { kill KILL => grep { Campaign::Server::alive($_) } keys %orphans if $$ == $parent }

# the workers that are left
sub orphaned {
    my @workers = $server->workers;
    $orphans{$_} = 1 for @workers;
    $server->signal('KILL');
    Campaign::Server::gone(10, $server->{master}) or return;
    return @workers;
}

# nginx as an operator starts it: exit status, what it says
sub started {
    my $said = store_dir() =~ s/-store\z/-said/r;
    system('sh', '-c', 'exec "$@" 2>"$0"', $said, $ENV{TEST_NGINX_BINARY}, '-p', "$ENV{TEST_NGINX_SERVROOT}/", '-c', $server->{conf}, '-e', $server->{log});
    my $status = $? >> 8;
    open my $in, '<', $said or die "$said: $!";
    return ($status, do { local $/; <$in> // '' });
}

sub goes_on {
    my ($channel, $c) = @_;
    my $sent = requests($channel);
    ok(wait_for(sub { requests($channel) >= $sent + 50 }), 'messages go on');
    is(scalar(grep { nobody($account->key)->get("/campaigns/$c->{id}")->status != 200 } 1 .. 10), 0, 'and calls are answered');
    is($account->post('/templates', { channel => $channel, text => "of $sent" })->status, 201, 'writes, too');
}

# another nginx takes the place of the orphans
sub again {
    my @pids = @_;
    ok(Campaign::Server::gone(20, @pids), 'they end');
    unlink $server->{pid} or die $!;                    # of the one that was killed
    $server->start;
    ok(wait_for(sub { $server->workers == 2 }), 'nginx is started again');
}

# repeats of a campaign that has ended
sub whole {
    my ($channel, $c) = @_;
    my $many = $many{$channel};
    my %ids;

    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');
    my @r = requests($channel);
    $ids{ decode($_->{body})->{data}{to}[0] }{ $_->{id} }++ for @r;
    is(join(',', sort keys %ids), join(',', numbers($many)), 'each number was reached');
    is(scalar(grep { keys %$_ > 1 } values %ids), 0, 'with one id');
    cmp_ok(most(1, sort { $a <=> $b } map { $_->{header}{'x-sent'} } @r), '<=', $rate * 1.005 + $burst, 'no second holds more than rate and burst');
    return @r - $many;
}

{
    my $c = start($account, 'QUIT', to => [numbers($many{QUIT})]);
    ok(wait_for(sub { requests('QUIT') >= 200 }), 'a campaign is under way');

    my @pids = orphaned();
    is(scalar(grep { Campaign::Server::alive($_) } @pids), 2, 'the master is killed, its workers live');
    goes_on('QUIT', $c);

    my ($status, $said) = started();
    is($status, 1, 'another nginx does not start');
    like($said, qr/bind\(\) to \S+ failed \(98: .*still could not bind/s, 'and says that the port is taken');
    is(scalar(grep { Campaign::Server::alive($_) } @pids), 2, 'that harms nobody');
    goes_on('QUIT', $c);

    cmp_ok(scalar requests('QUIT'), '<', $many{QUIT}, 'before the campaign has ended');
    kill QUIT => @pids;
    again(@pids);
    is(whole('QUIT', $c), 0, 'and no message went twice');
    sound(store_dir());
}

{
    my $c = start($account, 'TERM', to => [numbers($many{TERM})]);
    ok(wait_for(sub { requests('TERM') >= 200 }), 'another one is');

    my @pids = orphaned();
    my $first = wait_for { $server->dispatcher };
    ok((grep { $_ == $first } @pids), 'the master is killed, one of its workers is the dispatcher');
    kill KILL => $first;
    ok(Campaign::Server::gone(10, $first), 'that is killed, too');
    @pids = grep { $_ != $first } @pids;
    ok(wait_for(sub { ($server->dispatcher // 0) == $pids[0] }), 'the other one takes over');
    goes_on('TERM', $c);

    kill TERM => @pids;
    again(@pids);
    my $repeats = whole('TERM', $c);
    cmp_ok($repeats, '<=', 2 * $slots, 'and repeats are at most what was in flight at two ends');
    note "$repeats repeats";
    sound(store_dir());
}

is($server->alerts(qr/bind\(\)/), '', 'the log tells of the port, and of nothing else');
ok($server->quit, 'the server ends');
done_testing();
