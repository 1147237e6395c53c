# What a request costs does not depend on how its keys were chosen: neither those of JSON and idempotency keys, nor how much of an API key is right.  Limits
# are coarse: they are for what differs by far, on a machine with other things to do.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes 'time';

# the shortest time of each of some subs, taken in turn so many times
sub fastest {
    my ($rounds, %sub) = @_;
    my %time;
    for (1 .. $rounds) {
        for my $name (sort keys %sub) {
            my $start = time;
            $sub{$name}->();
            my $took = time - $start;
            $time{$name} = $took if !defined $time{$name} || $took < $time{$name};
        }
    }
    return %time;
}

run_tests();

__DATA__

=== TEST 1: bodies whose keys look alike, and idempotency keys too, cost what random ones do
--- check
my $a = account();
my $n = 20000;

# pairs that a hash of x = x * 33 + c takes for one ("Ez", "FY"), then doubled: all of a length, all of one hash there
my @alike = ('Ez', 'FY');
@alike = map { my $x = $_; map { "$x$_" } 'Ez', 'FY' } @alike while @alike < $n;
my @letters = ('A' .. 'Z', 'a' .. 'z');
my %keys = (alike => [@alike[0 .. $n - 1]], random => [map { join '', map { $letters[rand @letters] } 1 .. length $alike[0] } 1 .. $n]);
my %body = map { $_ => '{"data":{' . join(',', map { qq("$_":1) } @{ $keys{$_} }) . '}}' } keys %keys;
refused($a->post('/templates', $body{$_}), 400, [1254, 1256], "$n $_ keys are refused for what they lack alone") for sort keys %body;
my %time = fastest(5, map { my $how = $_; $how => sub { $a->post('/templates', $body{$how}) } } sort keys %body);
cmp_ok($time{alike}, '<', 2 * $time{random} + 0.02, sprintf '%d keys: alike %.1f ms, random %.1f ms', $n, 1000 * $time{alike}, 1000 * $time{random});

my @post = ('/templates', {});
my $i = 0;
%time = fastest(3, map { my $how = $_; $how => sub { $a->post(@post, 'Idempotency-Key' => $keys{$how}[$i++ % $n] . ($how eq 'alike' ? '' : $i)) for 1 .. 100 } } sort keys %keys);
cmp_ok($time{alike}, '<', 2 * $time{random} + 0.1, sprintf '100 idempotency keys: alike %.1f ms, random %.1f ms', 1000 * $time{alike}, 1000 * $time{random});


=== TEST 2: an API key is looked up by its SHA-256: how much of it is right, is not to be seen
--- check
my $call = do { open my $in, '<', 'src/http/ngx_http_campaign_call.c' or die $!; local $/; <$in> };
like($call, qr/ngx_http_campaign_call_digest\(&key->value, hash\)/, 'what is looked up is the hash');
unlike($call, qr/(?:memcmp|memn2cmp|strn?cmp)\([^;]*key->value/, 'and a key is compared with nothing');

my $key = account()->key;
my @wrong = (map({ my $k = $key; substr $k, $_, 1, substr($k, $_, 1) eq 'A' ? 'B' : 'A'; $k } 0, length($key) / 2, length($key) - 1), 'A' x length $key);
my @name = ('first', 'middle', 'last', 'every');
my @clients = map { nobody($_) } @wrong;
my @time;
for my $round (1 .. 300) {
    for my $i (sort { ($a + $round) % @clients <=> ($b + $round) % @clients } 0 .. $#clients) {
        my $start = time;
        $clients[$i]->get('/senders');
        push @{ $time[$i] }, time - $start;
    }
}
refused($_->get('/senders'), 401, 1002, 'refused') for @clients;

# the middle of many
my @middle = map { (sort { $a <=> $b } @$_)[@$_ / 2] } @time;
my ($least, $most) = (sort { $a <=> $b } @middle)[0, -1];
cmp_ok($most, '<', 1.5 * $least + 0.0005, join ', ', map { sprintf '%s character wrong: %.0f us', $name[$_], 1e6 * $middle[$_] } 0 .. $#middle);
