# A disk that fills and gets room again while campaigns run and workers are killed: what is new is refused with 507, what is under way goes on, deletes and
# cancels succeed, and each message is sent.  The disk is a file system of the test's own, in a mount namespace of its own.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign::Mounts;
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();
mounts_only();

my $store = store_dir();
my $seconds = long() ? 60 : 8;
my $slots = 32;
my $filler = "$store/filler";

gateway(sub { { delay => 0.005 } });

# all that is left is taken
sub fill {
    open my $out, '>>:raw', $filler or return;
    for my $piece (65536, 4096, 512) {
        1 while defined(my $n = syswrite $out, "\0" x $piece);
    }
}

sub run {
    my ($title) = @_;
    my $before = { map { $_ => scalar requests($_) } qw(ONE TWO) };

    my $server = Campaign::Server->new(workers => 2, server => join '', map { channel($_, "concurrency=$slots") } qw(ONE TWO));
    my $account = account(rate => 400, burst => 10);
    $account->sender(channel => $_) for qw(ONE TWO);
    $account->{senders}{$_} = 1 for qw(ONE TWO);

    my $many = int(400 * ($seconds + 1) / 2);
    my %campaign = map { $_ => start($account, $_, to => [numbers($many)]) } qw(ONE TWO);
    my @contacts = map { { number => "$_", first_name => "a name $_" } } numbers(800);
    my (@kept, @refused, @wrong, @pauses, @rooms);
    my ($killed, $n, $fills, $unavailable) = (0, 0, 0, 0);

    my $tell = sub {
        my ($method, $path, $body, $want) = @_;
        my $r;
        wait_for { $r = nobody($account->key)->call($method => $path, $body); $unavailable++ if $r->status == 503; $r->status != 599 && $r->status != 503 } 6;
        push @wrong, "$method $path: " . $r->status . ' ' . substr $r->body // '', 0, 200 if $r->status !~ $want;
        return $r;
    };

    my $until = time + $seconds;
    while (time < $until) {
        my $room = time;
        my $made = sub {
            my @request = @_;
            my $r = wait_for { my $r = $tell->(POST => @request, qr/201|507/); $r->status == 201 && $r } 5;
            return $r ? $r->data : die "$request[0]: still full 5 s after there is room:\n" . `df -k '$store'; ls -ls '$store'`
                . scalar(@kept) . " kept\n" . join '', map { "$_\n" } grep { /full|room/ } split /\n/, $server->log_text;
        };
        # what the test itself keeps must not fill the disk: pages of what is deleted are used again
        $tell->(DELETE => '/audiences/' . shift @kept, undef, qr/204|404/) while @kept > 40;
        my $waiting = $made->('/campaigns', { from => 'Acme', channel => 'ONE', text => 'x', to => [numbers(500)], schedule => '2100-01-01 00:00:00' });
        my @spare = map { $made->('/templates', { text => 'x', channel => 'ONE' }) } 1 .. 3;
        push @rooms, time - $room;

        fill();
        $fills++;
        my $full = time;
        my $refused = 0;
        my $while = 0.4 + chance(500) / 1000;
        while (time < $full + $while || (!$refused && time < $full + 5)) {          # pages of the file may be free
            my $r = $tell->(POST => '/audiences', { channel => 'ONE', name => 'a' . ++$n, contacts => \@contacts }, qr/201|507/);
            $r->status == 201 ? push @kept, $r->data->{id} : $refused++;
            fill();
            sleep 0.02;
        }
        push @refused, $refused;
        $tell->(DELETE => "/templates/$_->{id}", undef, qr/204|404/) for @spare;
        $tell->(PATCH => "/campaigns/$waiting->{id}", { status => 'canceled' }, qr/200/);
        $tell->(DELETE => "/campaigns/$waiting->{id}", undef, qr/204|404/);

        if (chance(2)) {
            my ($pid) = pick(1, sort $server->workers);
            $server->signal(KILL => $pid);
            $killed++;
        }
        my $at = time;
        my $sent = requests('ONE') + requests('TWO');
        unlink $filler;
        wait_for { requests('ONE') + requests('TWO') > $sent || settled_both($account, \%campaign) } 5;
        push @pauses, time - $at;
        sleep 0.2;
    }

    my $sum = 0;
    for my $channel (qw(ONE TWO)) {
        my $end = settled($account, $campaign{$channel}, 30);
        is(counts($end), "completed: $many sent of $many", "$title: campaign $channel is sent");
        my @all = requests($channel);
        my @r = @all[$before->{$channel} .. $#all];
        my %to = map { $_ => 1 } sent_by(@r);
        is(scalar keys %to, $many, 'each number was reached');
        $sum += @r - $many;
    }
    cmp_ok($sum, '<=', 2 * $slots * $killed, 'repeats are at most what was in flight at kills');
    is_deeply(\@wrong, [], 'new things were kept or refused with 507, deletes and cancels succeeded');
    cmp_ok(scalar(grep { $_ } @refused), '>', 0, 'the disk was full');
    cmp_ok($unavailable, '<=', 2 * $killed, 'a full disk is 507; 503 comes from a worker that has just begun, if at all');
    note "$unavailable x 503";
    is(scalar(grep { $account->get("/audiences/$_")->status != 200 } @kept), 0, 'all that was kept is there');
    cmp_ok(max(0, @pauses), '<=', 1.5, 'sending goes on at once when there is room');
    cmp_ok(max(0, @rooms), '<=', 3, 'and so does what is new');
    diag sprintf '%s: filled %d times, %d kept, %d refused, %d killed, %d repeats, sending goes on after %.2f s at most, what is new after %.2f s', $title, $fills, scalar @kept, eval { my $s = 0; $s += $_ for @refused; $s },
        $killed, $sum, max(0, @pauses), max(0, @rooms);
    is($server->alerts(qr/exited on signal 9|is full|No space left|short write/), '', 'the log tells of the full disk and of those that were killed');

    my $said = () = $server->log_text =~ /is full \([^\n]*what is new is refused until there is room/g;
    cmp_ok($said, '>', 0, 'it says so');
    cmp_ok($said, '<=', (2 + $killed) * (1 + int($seconds / 60)), 'each process once a minute, whatever is refused');

    ok($server->quit, 'the server ends');
    sound($store);
}

sub settled_both {
    my ($account, $campaign) = @_;
    return !grep { $account->get("/campaigns/$_->{id}")->data->{status} !~ /completed|failed/ } values %$campaign;
}

if (system('mount', '-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'campaign', $store) == 0) {
    run('tmpfs');
    system('umount', $store);
} else {
    pass('a tmpfs cannot be mounted here');
}

if (long()) {
    my $image = "$store.image";
    if (system("truncate -s 64m '$image' && mkfs.ext4 -q -m 0 '$image' 2>/dev/null && mount -o loop '$image' '$store' 2>/dev/null && chmod 0700 '$store'") == 0) {
        run('ext4');
        system('umount', $store);
    } else {
        diag 'an ext4 cannot be mounted here';
    }
    unlink $image;
}

done_testing();
