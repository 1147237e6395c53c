# Files of the store as processes hold them.  Masters have none of them open, nor mapped: neither one that was reloaded, nor a new binary's.  A worker opens
# lock.mdb once, and nobody closes it while the worker lives: with it would go the locks that tell others that it lives.  What a worker has open of the
# store is closed by exec().

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Kinds;
use Campaign::Sending;
use Campaign::Server;
use HTTP::Tiny ();
use Test::More;

my $store = store_dir();
my $many = 300;

gateway(sub { { delay => 0.02 } });

my $log = $store =~ s/-store\z/-lock/r;
my $env = preload('preload_lock.so', $log, 0);
$env->{CAMPAIGN_LOCK_LOG} = $log;

# a new binary gets of the environment what the configuration says
my $server = Campaign::Server->new(workers => 2, env => $env, main => join(' ', map { "env $_;" } sort keys %$env), server => channel('SMS', 'concurrency=64') . <<'END');
location = /status { campaign_status; }
location = /v1/receipts { campaign_receipts by=id; }
location = /v1/inbound { campaign_inbound channel=SMS; }
END
my %workers;            # all that ever were

# descriptors of files below the store: ([name, flags], …)
sub descriptors {
    my $pid = shift;
    my @found;
    for my $fd (glob "/proc/$pid/fd/*") {
        my $path = readlink $fd // next;
        $path =~ s{\A\Q$store\E/}{} or next;
        open my $in, '<', $fd =~ s{/fd/}{/fdinfo/}r or next;
        my ($flags) = join('', <$in>) =~ /^flags:\s*([0-7]+)/m;
        push @found, [$path, oct $flags];
    }
    return @found;
}

# what these masters have of the store: nothing
sub masters {
    my @found;
    for my $pid (@_) {
        push @found, map { "$pid has $_->[0] open" } descriptors($pid);
        open my $in, '<', "/proc/$pid/maps" or push(@found, "$pid: $!"), next;
        push @found, map { m{ \Q$store\E/(\S+)} ? "$pid maps $1" : () } <$in>;
        push @found, "$pid is no master" if !Campaign::Server::children($pid);
    }
    return \@found;
}

# what is wrong with their workers
sub workers {
    my %master = map { $_ => 1 } @_;
    my @wrong;
    for my $pid (grep { !$master{$_} } map { Campaign::Server::children($_) } @_) {     # a new master is the old one's child
        $workers{$pid} = 1;
        my @open = descriptors($pid);
        my $locks = grep { $_->[0] eq 'lock.mdb' } @open;
        push @wrong, "$pid has $locks descriptors of lock.mdb" if $locks != 1;
        push @wrong, "$pid has none of data.mdb" if !grep { $_->[0] eq 'data.mdb' } @open;
        push @wrong, map { sprintf '%d: exec() leaves %s open', $pid, $_->[0] } grep { !($_->[1] & 02000000) } @open;
    }
    return \@wrong;
}

# the store is open in as many workers of this master
sub open_in {
    my ($master, $n, @old) = @_;
    my %old = map { $_ => 1 } @old;
    wait_for {
        my @pids = Campaign::Server::children($master);
        @pids == $n && !(grep { $old{$_} } @pids) && !grep { !grep { $_->[0] eq 'lock.mdb' } descriptors($_) } @pids;
    };
}

# how often each process opened and closed it
sub noted {
    my %n;
    open my $in, '<', $log or die "$log: $!";
    while (<$in>) { /\A(\d+) (open|close)\n\z/ ? $n{$1}{$2}++ : die "$log: $_" }
    return \%n;
}

# each call that there is, a campaign to its end, receipts, what came in, the state of all
sub use_it {
    my $account = account(rate => 1000, burst => 100);
    $account->sender;
    my ($kinds) = kinds($account);
    my @refused;

    for my $name (sort keys %$kinds) {
        my ($client, @request) = $kinds->{$name}->();
        my $r = $client->call(@request);
        push @refused, "$name: " . $r->status . ' ' . substr $r->body, 0, 200 if $r->status >= 300;
    }
    is(join("\n", @refused), '', scalar(keys %$kinds) . ' kinds of requests are answered');

    my $before = requests('SMS');
    my $c = $account->make('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hello', to => [numbers($many)] });
    is(counts(settled($account, $c)), "completed: $many sent of $many", 'a campaign is sent');

    my @r = requests('SMS');
    my %ids = map { $_->{id} => 1 } @r[$before .. $#r];
    my @ids = (sort keys %ids)[0 .. 9];
    is(join(' ', map { $account->post("/receipts?id=$_&status=delivered")->status } @ids), '200 ' x 9 . '200', 'receipts are taken');
    is($account->post('/inbound?from=15551234567&to=Acme&text=STOP')->status, 200, 'and a message that comes in');
    is(HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status")->{status}, 200, 'campaign_status tells');
    sound($store);
}

my $old = $server->{master};
ok(open_in($old, 2), 'the store is open in two workers');
is_deeply(masters($old), [], 'and not in the master');
use_it();
is_deeply(workers($old), [], 'each worker has lock.mdb once, and exec() would close it');
is_deeply(masters($old), [], 'the master has none of it');

my @before = $server->workers;
$server->signal('HUP');
ok(open_in($old, 2, @before), 'reloaded');
use_it();
is_deeply(workers($old), [], 'so it is in the new workers');
is_deeply(masters($old), [], 'and the master');

$server->signal('USR2');
my $new = wait_for { my $pid = $server->master; $pid && $pid != $old && $pid };
ok($new && open_in($new, 2), 'a new binary has workers, too');
is_deeply(masters($old, $new), [], 'neither master has any of it');
use_it();
is_deeply(workers($old, $new), [], 'workers of both generations have it once');
@before = Campaign::Server::children($new);
$server->signal(HUP => $new);
ok(open_in($new, 2, @before), 'the new binary is reloaded');
is_deeply(masters($old, $new), [], 'neither master has any of it');

$server->signal(QUIT => $old);
ok(Campaign::Server::gone(20, $old), 'the old one ends');
$server->{master} = $new;
use_it();
is_deeply(workers($new), [], 'workers of the new one have it once');
is_deeply(masters($new), [], 'the master has none of it');

ok($server->quit, 'the server ends');
my $noted = noted();
is(join(' ', sort grep { !$noted->{$_} } keys %workers), '', scalar(keys %workers) . ' workers were noted');
is(join(' ', grep { !$workers{$_} } sort keys %$noted), '', 'and nobody else');
is(join(' ', map { "$_: " . ($noted->{$_}{open} // 0) } grep { ($noted->{$_}{open} // 0) != 1 } sort keys %$noted), '', 'each opened lock.mdb once');
is(join(' ', grep { $noted->{$_}{close} } sort keys %$noted), '', 'and none closed it, to its end');
is($server->alerts, '', 'nothing in the log');
done_testing();
