package Campaign::Kinds;

# A request of each kind that API and administration know: those of the tables of routes, with an object of their own each time, and some that take
# other ways.

use v5.10.1;
use strict;
use warnings;

use Campaign;
use Campaign::Source;
use Exporter 'import';

our @EXPORT = qw(kinds);

my $made = 0;
my $later = '2100-01-01 00:00:00';

my $account;
my $client;         # who owns the object, unless that is $account
my %make = (
    campaigns => sub { $account->campaign->{id} },
    audiences => sub { $account->audience->{id} },
    templates => sub { $account->template->{id} },
    senders   => sub { $account->sender(name => 'S' . ++$made)->{id} },
    contacts  => sub { $account->make("/audiences/$_[0]/contacts", { number => '' . (15570000000 + ++$made) })->{id} },
    messages  => sub { $account->make('/messages', { from => 'Acme', channel => 'SMS', text => 'x', to => ['15551234567'], schedule => $later })->[0]{id} },
    suppressions => sub { my $n = '' . (15580000000 + ++$made); $account->make('/suppressions', { number => $n }); $n },
    webhooks  => sub { my $each = account(); $client = $each; $each->make('/webhooks', { url => 'http://203.0.112.1/', event => 'message' })->{id} },
    accounts  => sub { account()->id },
    keys      => sub { admin()->post("/accounts/$_[0]/keys", { scope => 'read' })->data->{id} },
);

my %body = (
    'POST campaigns' => sub { { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567', '15551234568'], schedule => $later } },
    'PUT campaigns/{id}' => sub { { name => 'renamed ' . ++$made } },
    'PATCH campaigns/{id}' => sub { { status => 'canceled' } },
    'POST messages' => sub { { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'] } },
    'POST audiences' => sub { { name => 'a' . ++$made, channel => 'SMS', contacts => [map { { number => 15550000000 + $_ . '' } } 1 .. 20] } },
    'PUT audiences/{id}' => sub { { name => 'b' . ++$made } },
    'PATCH audiences/{id}' => sub { { name => 'b' . ++$made } },
    'POST audiences/{id}/contacts' => sub { { number => '15559999999', first_name => 'Ann', tags => ['x', 'y'] } },
    'PUT audiences/{id}/contacts/{id}' => sub { { number => '15559999998', first_name => 'Bob' } },
    'PATCH audiences/{id}/contacts/{id}' => sub { { first_name => 'Bob' } },
    'POST templates' => sub { { text => 'Hello {first_name}', channel => 'SMS' } },
    'PUT templates/{id}' => sub { { text => 'Bye' } },
    'PATCH templates/{id}' => sub { { text => 'Bye' } },
    'POST webhooks' => sub { $client = account(); { url => 'http://203.0.112.1/', event => 'delivery', secret => 'secret' } },
    'PUT webhooks/{id}' => sub { { url => 'http://203.0.112.2/' } },
    'PATCH webhooks/{id}' => sub { { status => 'disabled' } },
    'POST suppressions' => sub { { number => '' . (15580000000 + ++$made) } },
    'POST senders' => sub { { name => 'S' . ++$made, channel => 'SMS' } },
    'POST accounts' => sub { { name => 'x' . ++$made, rate => 5 } },
    'PUT accounts/{id}' => sub { { rate => 7 } },
    'PATCH accounts/{id}' => sub { { rate => 8 } },
    'POST webhooks/{id}/test' => sub { undef },
    'POST webhooks/{id}/replay' => sub { { from => '2020-01-01 00:00:00', to => '2099-01-01 00:00:00' } },
    'POST accounts/{id}/keys' => sub { { scope => 'read' } },
);

# of this account, which has a sender: ({ name => a function that gives client, method, path, body, headers }, names of routes without a recipe)
sub kinds {
    ($account) = @_;
    my (%kinds, @unknown);

    for my $route (routes('api'), routes('admin')) {
        my ($method, $path, $asks) = (@$route{qw(method path)}, $route->{service} eq 'admin' ? admin() : $account);
        my $name = "$method $path";
        my @needs = $path =~ m{(\w+)/\{\w+\}}g;

        if (grep({ !$make{$_} } @needs) || ($method =~ /^P/ && !$body{$name})) {
            push @unknown, $name;
            next;
        }
        $kinds{$name} = sub {
            my ($at, @ids) = $path;
            $client = $asks;
            for my $kind (@needs) { push @ids, $make{$kind}->(@ids); $at =~ s/\{\w+\}/$ids[-1]/ }
            my $body = $body{$name} ? $body{$name}->() : undef;
            return ($client, $method, "/$at", $body);
        };
    }

    $kinds{'POST keyed'} = sub { ($account, POST => '/templates', $body{'POST templates'}->(), 'Idempotency-Key' => 'key ' . ++$made) };
    $kinds{'POST again'} = sub {
        my @request = ($account, POST => '/templates', { text => 'once', channel => 'SMS' }, 'Idempotency-Key' => 'key ' . ++$made);
        $request[0]->call(@request[1 .. $#request]);
        return @request;
    };
    $kinds{'POST large'} = sub { ($account, POST => '/campaigns', { %{ $body{'POST campaigns'}->() }, to => [map { 15550000000 + $_ . '' } 1 .. 6000] }) };
    $kinds{'POST csv'} = sub { ($account, POST => '/audiences/' . $make{audiences}->() . '/contacts', join("\n", 'number,first_name', map { 15550000000 + $_ . ",n$_" } 1 .. 300), 'Content-Type' => 'text/csv') };
    $kinds{'POST ndjson'} = sub { ($account, POST => '/audiences/' . $make{audiences}->() . '/contacts', join("\n", map { json({ number => 15550000000 + $_ . '' }) } 1 .. 300), 'Content-Type' => 'application/x-ndjson') };
    $kinds{'GET csv'} = sub { ($account, GET => '/audiences/' . $account->audience(contacts => [map { { number => 15550000000 + $_ . '' } } 1 .. 300])->{id} . '/contacts', undef, Accept => 'text/csv') };

    return (\%kinds, @unknown);
}

1;
