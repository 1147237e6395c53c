# retries: a delivery costs the same, and so does doing nothing, while ten messages wait for a repeat and while a million do.
#
# Ten campaigns on a channel of their own, whose gateway answers 500: each of their messages was tried once and waits for two hours. Beside them a
# campaign is sent on another channel, at full speed. The figures are CPU of the worker, all its threads, a message and (of both servers, at the same
# time) a second in which there is nothing to do.

use v5.10.1;
use strict;
use warnings;

use Bench;
use Time::HiRes qw(sleep time);

my $rounds = of_quick(1, 5);
my $n = of_quick(20_000, 100_000);      # messages of a measurement
my $many = of_quick(100_000, 1_000_000);
my $idle = of_quick(1, 3);              # seconds

my $gateway = Bench::Gateway->new('retries');

# a server with so many messages that wait in ten campaigns, and code that sends a campaign and returns ns of its worker a message
sub waits {
    my ($name, $waiting) = @_;
    my $server = Bench::Server->new("retries-$name", gateway => $gateway, server => <<'END');
        campaign_retry min=2h max=2h;
        campaign_gateway DOWN /_down concurrency=1024;

        location /_down { internal; return 500; }
        location = /status { campaign_status; }
END
    my $client = $server->account;
    $client->ask(POST => '/v1/senders', { name => 'Acme', channel => 'DOWN' });
    my $audience = $server->audience($client, $n);
    my $down = $server->audience($client, $waiting / 10, 'DOWN');

    $server->campaigns($client, 10, audience => $down, channel => 'DOWN');
    wait_for(120, "$waiting repeats to wait", sub { sleep 0.1; ($client->get('/status') =~ /"outcomes":(\d+)/)[0] >= $waiting });
    progress("$waiting messages wait");

    my $send = sub { $server->cost($gateway, sub { $server->send($client, $gateway, $audience, $n) }) };

    $send->();
    return ($server, $send);
}

my (%server, %send);
my %waiting = (few => 10, many => $many);

($server{$_}, $send{$_}) = waits($_ => $waiting{$_}) for sort keys %waiting;
my %got = rounds($rounds, %send);

my ($from, %cpu) = (time, map { $_ => $server{$_}->cpu } keys %server);
sleep $idle;
my $took = time - $from;
my %load = map { $_ => ($server{$_}->cpu - $cpu{$_}) / 1e3 / $took } keys %server;

for my $name (keys %waiting) {
    my $tried = ($server{$name}->client->get('/status') =~ /"channel":"DOWN"[^}]*"retried":(\d+)/)[0] // 0;
    die "$waiting{$name} messages were to wait, $tried do\n" if $tried != $waiting{$name};
}

row('10 messages wait for a repeat', sprintf '%.1f us CPU', median(@{ $got{few} }) / 1000);
row("$many wait ÷ that", sprintf('%.1f us CPU', median(@{ $got{many} }) / 1000), ratio => ratio($got{many}, $got{few}), most => 1.1);
row('10 wait, nothing is sent', sprintf '%.0f us CPU a second', $load{few});
row("$many wait, nothing is sent ÷ that", sprintf('%.0f us CPU a second', $load{many}), ratio => sprintf('%.3f', $load{many} / $load{few}));

$_->stop for values %server, $gateway;
