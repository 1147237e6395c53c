# A dispatcher that is stopped, loses its lease and goes on: it sends nothing more, not even what it had claimed.  And one that loses it while the
# thread that writes is behind the commit of a turn and has not said so yet.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Hold;
use Campaign::Sending;
use Campaign::Server;
use Test::More;
use Time::HiRes qw(time);

my $many = 4000;

gateway(sub { $_[0]{path} eq '/behind' ? { delay => 0.05 } : 200 });

my $file = store_dir() =~ s/-store\z/-control/r;
my $env = preload('preload_behind.so', $file, 4096);
my $behind = control($file, qw(pid held));

END { unlink $file if $file }

my $server = Campaign::Server->new(workers => 3, env => $env,
    server => channel('FENCE', 'concurrency=500', headers() . 'proxy_set_header X-Worker $pid;') . channel('BEHIND', 'concurrency=50'));
my $account = account(rate => 1000, burst => 100);
my $c = start($account, 'FENCE', to => [numbers($many)]);

my $hold = Campaign::Hold->new;
my (@late, %stopped);

for my $n (300, 1200, 2100) {
    wait_for { requests('FENCE') >= $n } or last;
    my $pid = wait_for { $server->dispatcher } or last;
    ok($hold->stop($pid), 'a dispatcher is stopped, while it does not write');
    my $at = time;
    unlink store_dir() . '/dispatcher.lock' or die $!;
    $server->signal('HUP');
    ok(wait_for(sub { ($server->dispatcher // $pid) != $pid }), 'the lock is gone, and another one takes over');
    my $seen = requests('FENCE');
    wait_for { requests('FENCE') >= $seen + 50 };
    $server->signal(CONT => $pid);
    $stopped{$pid} = $at;
    ok(wait_for(sub { $server->log_text =~ /$pid#\d+: [^\n]*a newer one took over/ }, 5), 'the first one sees it when it goes on');
    push @late, grep { $_->{header}{'x-worker'} == $pid && $_->{header}{'x-sent'} > $at } requests('FENCE');
}

is(keys %stopped, 3, 'three were stopped');
is(scalar @late, 0, 'and sent nothing any more') or diag scalar @late;

my $end = settled($account, $c, 20);
is(counts($end), "completed: $many sent of $many", 'the campaign ends');

my %tries;
push @{ $tries{ $_->{id} } }, $_->{header}{'x-worker'} for sort { $a->{header}{'x-sent'} <=> $b->{header}{'x-sent'} } requests('FENCE');
is(keys %tries, $many, 'each number was reached');
is(scalar(grep { @$_ > 1 && !$stopped{ $_->[0] } } values %tries), 0, 'a repeat is one of what a stopped one had sent');
# its slots are all taken: a turn that frees some claims as many
my $fast = account(rate => 5000, burst => 100);
my $held = start($fast, 'BEHIND', to => [numbers($many)]);

for my $n (300, 1000, 1700) {
    wait_for { requests('BEHIND') >= $n } or last;
    my $pid = wait_for { $server->dispatcher } or last;
    $behind->set(pid => $pid);
    ok(wait_for(sub { $behind->get('held') }), 'a thread stands still behind the commit of a turn');
    unlink store_dir() . '/dispatcher.lock' or die $!;
    $server->signal('HUP');
    ok(wait_for(sub { $server->log_text =~ /$pid#\d+: [^\n]*a newer one took over/ }, 5), 'its dispatcher sees that another one took over');
    $behind->set(pid => 0, held => 0);
}

is(counts(settled($fast, $held, 20)), "completed: $many sent of $many", 'the campaign ends');
my %behind;
$behind{ $_->{id} }++ for requests('BEHIND');
is(keys %behind, $many, 'each number was reached');
# what the fenced one had in flight is uncertain
my $doubles = requests('BEHIND') - $many;
cmp_ok($doubles, '<=', 3 * 50, 'doubles are at most what was in flight, three times');
note "$doubles doubles";
is($server->alerts, '', 'nothing in the log');
ok(wait_for(sub { $server->workers == 3 }, 10), 'the stopped ones have ended');
ok($server->quit, 'the server ends');
done_testing();
