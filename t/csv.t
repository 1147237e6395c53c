# CSV as others read it: random documents, whole and damaged, uploaded and compared with what Text::CSV_XS makes of them.

use lib 't/lib';
use Campaign;
use Campaign::Chance qw(seed);
use Test::Nginx::Socket 'no_plan';

use Text::CSV_XS ();
use Time::HiRes qw(time);

my @fields = qw(number first_name last_name custom1);

# rows until the end or the first fault, and whether there was one
sub reference {
    my ($bytes) = @_;
    my $csv = Text::CSV_XS->new({ binary => 1, auto_diag => 0 });
    open my $in, '<:raw', \$bytes or die "open: $!";
    my @rows;
    while (my $row = $csv->getline($in)) { push @rows, $row }
    return (\@rows, $csv->eof && !0 + $csv->error_diag ? 0 : 1);
}

# the contacts that these rows of cells make, each as a line of text; a number stands once
sub wanted {
    my ($order, @rows) = @_;
    my (@all, %seen);
    for my $row (@rows) {
        my %c;
        @c{@$order} = @$row;
        my ($number) = ($c{number} // '') =~ /\A\+?([1-9]\d{6,14})\z/ or next;
        next if $seen{$number}++ || grep { defined && /\0/ } @$row;
        push @all, join '|', $number, map { $c{$_} // '' } @fields[1 .. $#fields];
    }
    return @all;
}

# uploads to an audience of its own: the reply, and the contacts that are there then
sub uploaded {
    my ($a, $bytes) = @_;
    my $path = '/audiences/' . $a->audience(contacts => [])->{id} . '/contacts';
    my $r = $a->post($path, $bytes, 'Content-Type' => 'text/csv');
    return $r, map { my $c = $_; join '|', map { $c->{$_} // '' } @fields } @{ $a->get("$path?page_size=100")->data };
}

sub order { sort { rand() <=> 0.5 } @fields }

my @letters = ('"', '"', ',', "\n", "\r\n", 'a', 'Z', ' ', ';', "\xc3\xa9", '7');
my $next = 15550000000;

sub document {
    my ($order) = @_;
    my @lines = join ',', @$order;
    for (1 .. 1 + int rand 12) {
        my @cells = map {
            my $cell = $_ eq 'number' ? ++$next : join '', map { $letters[rand @letters] } 1 .. rand 6;
            my $bare = $cell !~ /[",\r\n]/ && rand() < 0.7;
            $bare ? $cell : '"' . ($cell =~ s/"/""/gr) . '"';
        } @$order;
        push @lines, join ',', @cells;
    }
    my $eol = rand() < 0.5 ? "\n" : "\r\n";
    return join($eol, @lines) . (rand() < 0.7 ? $eol : '');
}

run_tests();

__DATA__

=== TEST 1: whole documents are read as the reference reads them
--- check
srand seed();
my $a = account();
my ($rows, @wrong) = 0;
for my $n (1 .. 60) {
    my @order = order();
    my $bytes = document(\@order);
    my ($read, $fault) = reference($bytes);
    die "the reference refuses its document" if $fault;
    my @want = wanted(\@order, @$read[1 .. $#$read]);
    my ($r, @got) = uploaded($a, $bytes);
    $rows += @want;
    push @wrong, json([$bytes, $r->status, \@got, \@want]) if $r->status != 201 || "@got" ne "@want";
}
is_deeply(\@wrong, [], "$rows rows");


=== TEST 2: of damaged documents everything before the damage is read as the reference reads it, and the damage is told
--- check
srand seed();
my $a = account();
my ($faults, @wrong) = 0;
for my $n (1 .. 200) {
    my @order = order();
    my $bytes = document(\@order);
    my $head = index($bytes, "\n") + 1;
    substr($bytes, $head + rand(length($bytes) - $head), rand() < 0.5 ? 1 : 0) = ('"', ',', 'x', "\0", "\n", '')[rand 6] for 1 .. 1 + rand 3;
    next if $bytes =~ /\r(?!\n)/ || !utf8::decode(my $text = $bytes);          # not in RFC 4180, and each reads it in its way
    my ($read, $fault) = reference($bytes);
    my @want = wanted(\@order, @$read[1 .. $#$read]);
    my ($r, @got) = uploaded($a, $bytes);
    my $told = $r->status == 201 ? $r->data->{invalid} > 0 : $r->status == 400;

    # after a fault the two may find their way back in different places
    splice @got, scalar @want if $fault && @got > @want;
    $faults++ if $fault;
    push @wrong, json([$bytes, \@got, \@want]) if ($fault && !$told) || "@got" ne "@want";
}
is_deeply(\@wrong, [], "documents, $faults of them damaged");
cmp_ok($faults, '>', 10, 'damaged ones were among them');
