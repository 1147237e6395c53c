# Workers that die in the middle of a read leave a slot of LMDB's table behind, which would keep all pages freed since from being used again: it is
# cleared within a second, so that data.mdb does not grow.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();

my $kills = long() ? 300 : 60;

gateway(sub { 200 });

my $data = store_dir() . '/data.mdb';
my $server = Campaign::Server->new(workers => 2, server => channel('READ', 'concurrency=8'));
my $account = account(rate => 200, burst => 10);
$account->sender(channel => 'READ');
$account->make('/templates', { name => "stays $_", channel => 'READ', text => 'x' x 900 }) for 1 .. 100;
$account->make('/campaigns', { name => 'read', from => 'Acme', text => 'Hello', channel => 'READ', to => [numbers(1000)] });

# clients that read and write for as long as the test lasts; what a worker that is killed had to answer is not answered
my ($test, @clients) = $$;
for my $client (1 .. 4) {
    defined(my $pid = fork) or die "fork: $!";
    push @clients, $pid and next if $pid;
    $SIG{TERM} = 'DEFAULT';
    for (my $n = 0; getppid() == $test; $n++) {
        my $c = nobody($account->key);
        if ($client > 1) { eval { $c->get('/templates?page_size=100') }; next }
        my $r = eval { $c->post('/templates', { name => "goes $n", channel => 'READ', text => 'y' x 900 }) } or next;
        eval { $c->delete('/templates/' . $r->data->{id}) } if $r->status == 201;
    }
    POSIX::_exit(0);
}

wait_for { requests('READ') >= 400 } 20;
my $steady = -s $data;

my $killed = 0;
while ($killed < $kills) {
    my ($worker) = pick(1, $server->workers);
    $worker && kill(KILL => $worker) or next;
    $killed++;
    wait_for { $server->workers == 2 };
    sleep 0.001 * chance(200);                  # at any moment of what the worker does
}

ok(wait_for(sub { my $r = eval { nobody($account->key)->get('/templates?page_size=1') }; $r && $r->status == 200 }), 'it is served');
sleep 2;                                        # under load: what grows, grows now
my $now = -s $data;
kill TERM => @clients;
waitpid $_, 0 for @clients;

diag "$killed workers killed, data.mdb: $steady bytes before, $now after";
cmp_ok($now, '<=', 1.2 * $steady + 262144, 'data.mdb has not grown');
ok(wait_for(sub { requests('READ') >= 1000 }, 20), 'the campaign goes on to its end');
is($server->alerts('exited on signal 9'), '', 'nothing else in the log');
$server->quit;

done_testing();
