# growth: a delivery costs the same while 10 000 messages wait and while 10 000 000 do.
#
# A hundred campaigns of one account on one audience: of 100, and of 100 000.  An account that is disabled does not send, so the messages wait; in turns
# either account is let go for a while.  The figure is CPU of the worker, all its threads, a message that the gateway has counted.  Sharing
# the rate among a hundred campaigns has its price, so one campaign with 10 000 is shown, too.

use v5.10.1;
use strict;
use warnings;

use Bench;
use POSIX qw(strftime);
use Time::HiRes qw(time);

my $rounds = of_quick(1, 5);
my $burst = of_quick(5000, 20_000);     # messages of a measurement where more wait

my $gateway = Bench::Gateway->new('growth');
my %server = map { $_ => Bench::Server->new("growth-$_", gateway => $gateway) } qw(few many one);
my %client = map { $_ => $server{$_}->account } keys %server;
my %size = (few => 100, many => 100_000, one => 10_000);
my %audience = map { $_ => $server{$_}->audience($client{$_}, $size{$_}) } keys %server;

sub enable {
    my ($name, $status) = @_;
    $server{$name}->client->ask(PATCH => "/admin/accounts/$client{$name}{account}", { status => $status });
}

# so many campaigns that run, though nothing of them was sent
sub wait_with {
    my ($name, $n) = @_;
    my $start = int(time) + 2;
    my $schedule = strftime('%Y-%m-%d %H:%M:%S', gmtime $start);
    $server{$name}->campaigns($client{$name}, $n, audience => $audience{$name}, schedule => $schedule);
    enable($name, 'disabled');
    Time::HiRes::sleep($start - time + 0.3) if $start + 0.3 > time;
}

# ns of the worker a message, of $n messages or some more
sub cost {
    my ($name, $n) = @_;
    my ($count, $cpu) = ($gateway->count, $server{$name}->cpu);
    enable($name, 'active');
    wait_for(120, "$n messages of $name", sub { $gateway->count >= $count + $n });
    enable($name, 'disabled') if $name eq 'many';
    my $last = -1;
    wait_for(60, 'the messages on their way', sub { my $before = $last; $last = $gateway->count; Time::HiRes::sleep(0.05); $last == $before });
    return ($server{$name}->cpu - $cpu) / ($gateway->count - $count);
}

wait_with(many => 100);
my %got = rounds($rounds,
    few  => sub { wait_with(few => 100); cost(few => 10_000) },
    one  => sub { wait_with(one => 1); cost(one => 10_000) },
    many => sub { cost(many => $burst) });

row('10000 wait, in 100 campaigns', sprintf '%.1f us CPU', median(@{ $got{few} }) / 1000);
row('10000000 wait, in 100 campaigns ÷ that', sprintf('%.1f us CPU', median(@{ $got{many} }) / 1000),
    ratio => ratio($got{many}, $got{few}), most => 1.1);
row('10000000 in 100 campaigns ÷ 10000 in one', sprintf('%.1f us CPU', median(@{ $got{one} }) / 1000),
    ratio => ratio($got{many}, $got{one}));

$_->stop for values %server, $gateway;
