# Connections that are used up: messages wait, the log says so, once a minute however often it is tried, and all goes on as they are given back.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

my ($env, $clock) = moved_date();

# each answer waits until it is told the number, or that all may go, and gives its connection back
gateway(sub { my $r = shift; { close => 1, $r->{told}{all} ? () : (until => decode($r->{body})->{data}{to}[0]) } });

my $server = Campaign::Server->new(workers => 2, connections => 64, env => $env, server => channel('MANY', 'concurrency=1000'));

my $account = account(rate => 100_000, burst => 10_000);
my @to = numbers(300);

sub said { scalar(() = $server->log_text =~ /messages wait, worker_connections are used up/g) }

# so many answers, one after the other: each makes room for one message, and the one behind it finds none
my ($answered, $got) = (0, 0);

sub answer {
    for (1 .. $_[0]) {
        gateway()->tell($to[$answered++]);
        wait_for { requests('MANY') > $got } or return 0;
        $got = requests('MANY');
    }
    return 1;
}

my $c = start($account, 'MANY', to => \@to);
ok(wait_for(sub { said() }), 'connections are used up, and the log says so');
# those that have one are all at the gateway
ok(wait_for(sub { my $n = $account->get("/campaigns/$c->{id}")->data->{messages}{enroute}; $n > 20 }), 'messages are claimed');
ok(wait_for(sub { $got = requests('MANY'); $got >= 20 }), 'some are in flight');
ok(answer(20), 'twenty answers make room for as many messages');
is(said(), 1, 'it is said once');

$clock->set(seconds => 61);
ok(answer(1), 'a minute later there is still no room');
ok(wait_for(sub { said() == 2 }), 'which is said once more');
ok(answer(20), 'and others find none');
is(said(), 2, 'no more than that');

gateway()->tell('all');
gateway()->tell($_) for @to[$answered .. $got - 1];
is(counts(settled($account, $c, 20)), 'completed: 300 sent of 300', 'all are sent');
is(join(',', sent_by(requests('MANY'))), join(',', @to), 'each number once');
is($server->alerts, '', 'nothing in the log');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
