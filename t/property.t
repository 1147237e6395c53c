# Random requests of two accounts, compared with a model of the contract: each reply's status, codes and fields, each page's items.
#
# tools/test --seed n replays, CAMPAIGN_STEPS=n takes as many steps.  When a reply is not what the model says, the sequence that led there is
# cut down, while it still fails, and printed.

use lib 't/lib';
use Campaign;
use Campaign::Chance qw(seed);
use Campaign::Model;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes 'time';

# a step: {who, do, kind, …}.  It names what earlier steps made by their numbers ('@17', of a list '@17.2'), so that steps can be left out

my @kinds = qw(senders templates audiences contacts campaigns messages);
my $nowhere = '01234567-89ab-8def-8123-456789abcdef';

sub any { $_[rand @_] }
sub chance { rand() < $_[0] }

# a value that is right, or mostly
sub some { my ($good, $bad) = @_; return chance(0.06) ? any(@$bad) : any(@$good) }

my @names = (map({ ("n $_", "N$_", "n-$_", "\x{416}$_") } 1 .. 12), 'x' x 45);
my @texts = ('Hello', 'Hi {first_name|friend}', '{{x}} {number}', "a\nb \x{1F600}", "{last_name} {custom1}{date}", "\x{e9}" x 71);
my @bad_texts = ('', 'x' x 1001, 'Hi {nobody}', '{', 'a}', "a\x01", []);
my @senders = ('Acme', 'B 2', 'Elevenchars', '12345', '15551234567', '+15551234567', '1234567', 'S-1', 'S-2', 'S-3');
my @channels = (('SMS') x 6, 'sms', 'VIBER', 'Viber');
my @dates = grep { $Campaign::Model::date{$_} } sort keys %Campaign::Model::date;
my @bad_dates = ((grep { !$Campaign::Model::date{$_} } sort keys %Campaign::Model::date), []);

sub number { my $who = shift; return any('', '+') . (15510000000 + 10000000 * $who + int rand 60) }
sub bad_number { any('0555123456', '12', '', 'x', '1' x 46, '1' x 16, []) }

# a field that may be left out
sub maybe { my ($p, $name, @value) = @_; return chance($p) ? ($name => @value) : () }

sub contact {
    my ($who, $change) = @_;
    return chance(0.94) ? '' . number($who) : bad_number() if !$change && chance(0.3);
    return { (!$change || chance(0.3) ? (number => chance(0.96) ? number($who) : bad_number()) : ()),
             maybe(0.5, first_name => some(['Ann', '', "Z\x{f6}e", undef, 'x' x 32], ['x' x 33, {}, "\x01"])), maybe(0.3, last_name => some(['Lee', undef, 'B'], ['x' x 33])),
             maybe(0.2, custom1 => some(['c', undef], ['x' x 33])), maybe(0.2, custom2 => some(['y' x 70], ['x' x 71, []])),
             maybe(0.2, tags => some([['a', 'b'], [], undef], [[map { "t$_" } 1 .. 11], 'a', {}])) };
}

# bodies of each kind; $at->(kind) is some object's number
my %body = (
    senders => sub { +{ (chance(0.97) ? (name => some(\@senders, ['', 'Twelve chars', '1234', [], "a\nb", undef, 'x' x 17])) : ()), maybe(0.97, channel => some(\@channels, ['FAX', [], undef])) } },
    templates => sub { +{ maybe(0.6, name => some(\@names, ['x' x 46, [], "a\nb", ''])), maybe(0.97, text => some(\@texts, \@bad_texts)), maybe(0.97, channel => some(\@channels, ['FAX', {}])) } },
    audiences => sub {
        my $who = shift;
        return { maybe(0.97, name => some(\@names, ['', 'a/b', 'x' x 46, []])), maybe(0.97, channel => some(\@channels, ['FAX', []])),
                 maybe(0.6, contacts => chance(0.95) ? [map { contact($who) } 1 .. int rand 6] : any({}, 'x')) };
    },
    contacts => sub { my ($who, undef, $change) = @_; chance(0.85) || $change ? contact($who, $change) : [map { contact($who) } 1 .. int rand 6] },
    campaigns => sub {
        my ($who, $at) = @_;
        return { maybe(0.5, name => some(\@names, ['x' x 46, [], ''])), maybe(0.97, from => some([$at->('from') // 'Acme'], ['Nobody', '', [], 'x' x 17])),
                 (chance(0.6) ? maybe(0.97, audience => some([$at->('audiences')], ['x', $nowhere, $at->('templates'), []])) : maybe(0.97, to => chance(0.95) ? [map { contact($who) } 1 .. 1 + int rand 4] : any([], {}, 'x'))),
                 (chance(0.6) ? maybe(0.97, template => some([$at->('templates')], [$nowhere, 'x', $at->('audiences')])) : maybe(0.97, text => some(\@texts, \@bad_texts))),
                 maybe(0.85, channel => some(\@channels, ['FAX', []])), maybe(0.6, schedule => some(\@dates, \@bad_dates)), maybe(0.2, payload => some(['p', '', "l\n\"\\"], ['x' x 501, []])),
                 maybe(0.03, to => [number($who)]), maybe(0.03, text => 'Hi') };
    },
    messages => sub {
        my ($who, $at) = @_;
        return { maybe(0.97, from => some([$at->('from') // 'Acme'], ['Nobody', [], ''])), maybe(0.97, to => chance(0.95) ? [map { number($who) } 1 .. 1 + int rand 4] : any([], [map { number($who) } 1 .. 11], ['x'])),
                 (chance(0.4) ? maybe(0.97, template => some([$at->('templates')], [$nowhere, 'x'])) : maybe(0.97, text => some(\@texts, ['', 'x' x 1001, []]))),
                 maybe(0.9, channel => some(\@channels, ['FAX'])), maybe(0.5, schedule => some(\@dates, \@bad_dates)), maybe(0.03, text => 'Hi') };
    },
);
my %change = (
    templates => sub { +{ maybe(0.5, name => some(\@names, ['x' x 46, []])), maybe(0.5, text => some(\@texts, \@bad_texts)), maybe(0.1, channel => 'VIBER') } },
    audiences => sub { +{ maybe(0.8, name => some(\@names, ['', 'a/b', 'x' x 46])), maybe(0.1, contacts_count => 7) } },
    contacts => sub { $body{contacts}->($_[0], undef, 1) },
    campaigns => sub { +{ maybe(0.4, name => some(\@names, ['x' x 46])), maybe(0.4, schedule => some(\@dates, \@bad_dates)),
                         maybe(0.3, status => some(['canceled', 'CANCELED'], ['paused', 'in_progress', 'scheduled', 'completed', 'failed', 'asleep', []])), maybe(0.1, text => 'Bye') } },
);

my %filters = (
    senders => [['channel'], ['type'], ['name'], []], templates => [['channel'], ['name'], [], []], audiences => [['channel'], ['name'], []],
    contacts => [[], [], ['search']], campaigns => [['channel'], ['status'], ['status', 'channel'], ['name'], []],
);
my %value = (channel => [qw(SMS VIBER)], type => [qw(ALPHANUMERIC LONG_CODE SHORT_CODE)], name => ['n', 'n ', 'N', 'S', 'zz', "\x{416}"], status => [qw(scheduled canceled)],
             search => ['155', 'ann', '0003', "\x{f6}"]);

# bodies that are refused whole: [code, bytes, type]
my @faults = ([1005, '{', 'application/json'], [1005, '{"data":{"a":1,"a":2}}', 'application/json'], [0, '{}', 'application/json'], [0, '{"data":5}', 'application/json'],
              [1006, 'x', 'text/plain']);

# the next step, of what there is in the world
sub step {
    my ($w, $n) = @_;
    my $m = $w->{model};
    my $who = int rand 2;
    my $kind = any(@kinds, 'contacts', 'campaigns', 'audiences');
    my $owner = chance(0.06) ? 1 - $who : $who;                                             # somebody else's
    my $at = sub {
        my $of = shift;
        my @all = $of eq 'from' ? $m->all($owner, 'senders') : $m->all($owner, $of);
        return $of eq 'from' ? undef : $nowhere if !@all;
        my $o = chance(0.5) ? $all[-1 - rand(@all < 4 ? @all : 4)] : any(@all);
        return $of eq 'from' ? $o->{name} : "\@$o->{label}";
    };
    my %s = (n => $n, who => $who, kind => $kind);

    # a walk goes on, or back
    return { %s, do => 'turn', walk => any(sort { $a <=> $b } keys %{ $w->{walks} }), way => any(qw(next next previous)) } if %{ $w->{walks} } && chance(0.3);
    return { %s, do => 'again', of => any(@{ $w->{keyed} }), other => chance(0.25) ? 1 : 0 } if @{ $w->{keyed} } && chance(0.06);
    return { %s, do => 'total' } if chance(0.03);

    $s{in} = chance(0.97) ? $at->('audiences') : any('x', $nowhere) if $kind eq 'contacts';

    if (chance(0.1) && $filters{$kind}) {
        return { %s, do => 'walk', size => any(1, 2, 3, 5, 8), filter => { map { $_ => any(@{ $value{$_} }) } @{ any(@{ $filters{$kind} }) } } };
    }
    if (chance(0.02) && %{ $w->{walks} }) {
        return { %s, do => 'foreign', walk => any(sort { $a <=> $b } keys %{ $w->{walks} }) };
    }

    my @there = $m->all($owner, $kind);
    my @do = @there < 25 ? qw(create create create get change delete) : qw(create get get change delete delete);
    $s{do} = any(@do);
    $s{do} = 'get' if $s{do} eq 'change' && !$change{$kind};
    if ($s{do} ne 'create') {
        my $o = @there && any(@there);
        $s{at} = $o && chance(0.9) ? "\@$o->{label}" : chance(0.3) ? any('x', '1234', 'a' x 36) : chance(0.5) ? $nowhere : $at->(any(@kinds));
        $s{in} = "\@$m->{by}{ $o->{in} }{label}" if $o && $kind eq 'contacts' && chance(0.9);
        $s{upper} = 1 if chance(0.1);
    }
    if ($s{do} eq 'create' || $s{do} eq 'change') {
        $s{data} = ($s{do} eq 'create' ? $body{$kind} : $change{$kind})->($who, $at);
        $s{fault} = any(@faults) if chance(0.02);
        $s{method} = $s{do} eq 'create' ? 'POST' : any('PUT', 'PATCH');
        $s{key} = "key $n" if $s{do} eq 'create' && chance(0.3);
    }
    return \%s;
}


# two new accounts and nothing in them
sub world {
    my @clients = (account(), account());
    return { clients => \@clients, model => Campaign::Model->new(map { $_->id } @clients), label => {}, walks => {}, keyed => [], kept => {} };
}

# labels in data become identifiers
sub real {
    my ($w, $v) = @_;
    return [map { real($w, $_) } @$v] if ref $v eq 'ARRAY';
    return { map { $_ => real($w, $v->{$_}) } keys %$v } if ref $v eq 'HASH';
    return $v if !defined $v || $v !~ /\A\@(.*)/s;
    return $w->{label}{$1} // $nowhere;
}

# what is wrong after this step; undef: nothing.  $w->{asked} is what was asked and answered last
sub run_step {
    my ($w, $s) = @_;
    my $do = "do_$s->{do}";
    return main->can($do)->($w, $s);
}

sub ask {
    my ($w, $who, $method, $path, $body, %headers) = @_;
    my $r = $w->{clients}[$who]->call($method, $path, $body, %headers);
    $w->{asked} = "$method $path " . ($body // '') . ' => ' . $r->status . ' ' . substr $r->body // '', 0, 1500;

    # nothing of the other account is ever in an answer
    if ($r->status < 400) {
        my $other = 1 - $who;
        for my $id (($r->body // '') =~ /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/g) {
            my $o = $w->{model}{by}{$id};
            $w->{leak} = "the other account's $o->{kind} $id" if $o && $o->{who} == $other;
            $w->{leak} = "the other account's id" if $id eq $w->{clients}[$other]->id;
        }
        $w->{leak} = "the other account's number $1" if ($r->body // '') =~ /"\+?(155${\( $other + 1 )}\d{7})"/ && $path !~ /messages/;
    }
    return $r;
}

# an answer against what the model expects of it
sub compare {
    my ($w, $who, $r, $e) = @_;
    return $w->{leak} if $w->{leak};
    if ($e->{codes}) {
        my $got = $r->status < 400 ? $r->status : $r->envelope_fault // join ' ', $r->status, $r->codes;
        my $want = join ' ', $e->{status}, @{ $e->{codes} };
        return $got eq $want ? undef : "answered $got, not $want";
    }
    return 'answered ' . join(' ', $r->status, $r->status >= 400 ? $r->codes : ()) . ", not $e->{status}" if $r->status != $e->{status};
    return ($r->body // '') eq '' ? undef : 'a body' if $e->{status} == 204;
    return differ($r->data, $e->{exact}) if $e->{exact};
    return 'items: ' . @{ $r->data } . ", not $e->{several}" if $e->{several} && @{ $r->data } != $e->{several};
    return undef;
}

sub alike {
    my ($x, $y) = @_;
    return !defined $x && !defined $y if !defined $x || !defined $y;
    return 0 if ref $x ne ref $y;
    return @$x == @$y && !grep { !alike($x->[$_], $y->[$_]) } 0 .. $#$x if ref $x eq 'ARRAY';
    return keys %$x == keys %$y && !grep { !exists $y->{$_} || !alike($x->{$_}, $y->{$_}) } keys %$x if ref $x eq 'HASH';
    return $x eq $y;
}

sub differ {
    my ($got, $want) = @_;
    return undef if alike($got, $want);
    for my $f (ref $want eq 'HASH' ? sort keys %$want : ()) {
        return "$f is " . json($got->{$f}) . ', not ' . json($want->{$f}) if json($got->{$f}) ne json($want->{$f});
    }
    return json($got) . ', not ' . json($want);
}

# an object of a reply against the model's; update_date may have moved on when something was done to it
sub fits {
    my ($w, $o, $got) = @_;
    $o->{update} = $got->{update_date} if $o->{touched} && ($got->{update_date} // '') ge ($o->{update} // '');
    delete $o->{touched};
    my $want = $w->{model}->show($o);
    my %part = $o->{kind} eq 'messages' ? map { $_ => $got->{$_} } keys %$want : %$got;
    return differ(\%part, $want);
}

sub path {
    my ($w, $s) = @_;
    my ($at, $in) = map { real($w, $_) } $s->{at}, $s->{in};
    $_ = uc for $s->{upper} ? grep { defined } $at, $in : ();
    return (($s->{kind} eq 'contacts' ? "/audiences/$in/contacts" : "/$s->{kind}") . (defined $at ? "/$at" : ''), $at, $in);
}

sub do_get {
    my ($w, $s) = @_;
    my ($path, $at, $in) = path($w, $s);
    my $e = $w->{model}->expect($s->{who}, GET => $s->{kind}, $at, $in);
    my $r = ask($w, $s->{who}, GET => $path);
    return compare($w, $s->{who}, $r, $e) // ($e->{object} ? fits($w, $e->{object}, $r->data) : undef);
}

sub do_delete {
    my ($w, $s) = @_;
    my ($path, $at, $in) = path($w, $s);
    my $e = $w->{model}->expect($s->{who}, DELETE => $s->{kind}, $at, $in);
    my $r = ask($w, $s->{who}, DELETE => $path);
    my $wrong = compare($w, $s->{who}, $r, $e);
    $e->{done}->() if !$wrong && $e->{done};
    return $wrong;
}

sub do_create {
    my ($w, $s) = @_;
    my ($path, $at, $in) = path($w, $s);
    my $data = real($w, $s->{data});
    my ($body, @headers) = $s->{fault} ? ($s->{fault}[1], 'Content-Type' => $s->{fault}[2]) : json({ data => $data });
    push @headers, 'Idempotency-Key' => $s->{key} if $s->{key};

    my $e = $w->{model}->expect($s->{who}, $s->{method}, $s->{kind}, $at, $in, $s->{fault} ? \$s->{fault}[0] : $data);
    my $r = ask($w, $s->{who}, $s->{method}, $path, $body, @headers);
    my $wrong = compare($w, $s->{who}, $r, $e);
    return $wrong if $wrong;
    return 'said to be a repeat' if $r->header('idempotency-replayed');

    if ($s->{key}) {
        push @{ $w->{keyed} }, $s->{n};
        $w->{kept}{ $s->{n} } = [$path, $body, \@headers, $r, $s->{who}];
    }
    return undef if $e->{codes};

    my @new = $e->{done} ? $e->{done}->($r->data) : ();
    @new = () if $e->{exact};
    return fits($w, $e->{object}, $r->data) if $e->{object};                                # changed, or not
    my @shown = ref $r->data eq 'ARRAY' ? @{ $r->data } : $r->data;
    for my $i ($e->{exact} ? () : 0 .. $#shown) {
        return 'id is ' . json($shown[$i]{id}) if $shown[$i]{id} !~ uuid();
        label($w, $new[$i], $s->{n} . ($e->{several} ? ".$i" : ''));
        return 'create_date' if $s->{kind} ne 'contacts' && $shown[$i]{create_date} !~ /\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\z/;
        my $differs = fits($w, $new[$i], $shown[$i]);
        return $differs if $differs;
    }
    return 'an assigned name is taken' if @new && $s->{kind} =~ /templates|campaigns/ && 1 < grep { $_->{name} eq $new[0]{name} } $w->{model}->all($s->{who}, $s->{kind});
    return meet($w, $s, $s->{kind} eq 'audiences' ? $new[0]{id} : $in);
}

sub do_change { do_create(@_) }

sub label { my ($w, $o, $label) = @_; $o->{label} = $label; $w->{label}{$label} = $o->{id}; return $o }

# contacts that came in bulk: their identifiers are in the list
sub meet {
    my ($w, $s, $audience) = @_;
    my $m = $w->{model};
    my $o = $audience && $m->find($s->{who}, 'audiences', $audience) or return undef;
    return undef if !@{ $o->{unknown} };
    my $r = ask($w, $s->{who}, GET => "/audiences/$o->{id}/contacts?page_size=100");
    return 'no list of contacts' if $r->status != 200;
    $m->meet($o, @{ $r->data });
    return 'contacts are missing' if @{ $o->{unknown} };
    my $i = 0;
    label($w, $_, "$s->{n}." . $i++) for grep { !defined $_->{label} } $m->all($s->{who}, 'contacts', $o->{id});
    my @all = $m->all($s->{who}, 'contacts', $o->{id});
    return 'contacts: ' . @{ $r->data } . ', not ' . @all if @{ $r->data } != @all;
    for my $i (0 .. $#all) { my $wrong = fits($w, $all[$i], $r->data->[$i]); return $wrong if $wrong }
    return undef;
}

# the same request with the same key: the first answer, to the byte; another body: refused
sub do_again {
    my ($w, $s) = @_;
    my $kept = $w->{kept}{ $s->{of} } or return undef;
    my ($path, $body, $headers, $first, $who) = @$kept;
    my $r = ask($w, $who, POST => $path, $s->{other} ? "$body " : $body, @$headers);
    my @codes = $first->status >= 400 ? $first->codes : ();
    return compare($w, $who, $r, { status => 400, codes => [1302] }) if "@codes" eq '1302';         # found before the key was looked at
    return compare($w, $who, $r, { status => 409, codes => [1012] }) if $s->{other} && "@codes" ne '1006';  # whose body is not read
    return $w->{leak} if $w->{leak};
    return 'not said to be a repeat' if ($r->header('idempotency-replayed') // '') ne 'true';
    return 'the repeat is another answer: ' . $r->status . ' ' . $r->body if $r->status != $first->status || $r->body ne $first->body;
    return undef;
}

# all messages of the account are counted
sub do_total {
    my ($w, $s) = @_;
    my $r = ask($w, $s->{who}, GET => '/messages?page_size=1');
    return $w->{leak} if $w->{leak};
    return 'total is ' . json($r->page->{total}) . ', not ' . $w->{model}->messages($s->{who}) if $r->page->{total} ne $w->{model}->messages($s->{who});
    return undef;
}


# walks: pages are what the model has older than the last one seen, or newer than the first one, at this moment

sub matching {
    my ($w, $walk) = @_;
    my ($m, $f) = ($w->{model}, $walk->{filter});
    return grep {
        my $o = $_;
        !grep { my ($name, $v) = ($_, $f->{$_}); !($name eq 'name' ? index($o->{name}, $v) == 0 : $name eq 'search' ? found($o, $v) : $o->{$name} eq $v) } keys %$f;
    } $walk->{kind} eq 'contacts' ? $m->all($walk->{who}, 'contacts', $walk->{in}) : reverse $m->all($walk->{who}, $walk->{kind});
}

sub found { my ($o, $v) = @_; return $v =~ /\A\d+\z/ && index($o->{number}, $v) == 0 || grep { index(lc($_ // ''), lc $v) >= 0 } @$o{qw(first_name last_name)} }

sub do_walk {
    my ($w, $s) = @_;
    my $in = real($w, $s->{in});
    my $query = join '&', "page_size=$s->{size}", map { my $v = $s->{filter}{$_}; utf8::encode($v); "filter[$_]=" . $v =~ s/([^\w-])/sprintf '%%%02X', ord $1/ger } sort keys %{ $s->{filter} };
    my $base = $s->{kind} eq 'contacts' ? "/audiences/$in/contacts" : "/$s->{kind}";

    if ($s->{kind} eq 'contacts' && !$w->{model}->find($s->{who}, 'audiences', $in)) {
        my $r = ask($w, $s->{who}, GET => "$base?$query");
        return compare($w, $s->{who}, $r, Campaign::Model::refuse($in =~ /-/ ? 1301 : 1302));
    }
    my %walk = (%$s, in => $in, number => 1, base => $base);
    my @all = matching($w, \%walk);
    return page($w, \%walk, "$base?$query", 1, @all > $s->{size} ? @all[0 .. $s->{size} - 1] : @all);
}

sub do_turn {
    my ($w, $s) = @_;
    my $walk = $w->{walks}{ $s->{walk} } or return undef;
    my $way = $s->{way};
    my $link = $walk->{links}{$way};
    $link = $walk->{links}{ $way = $way eq 'next' ? 'previous' : 'next' } if !$link;
    delete $w->{walks}{ $s->{walk} };
    return undef if !$link || ($walk->{in} && !$w->{model}->find($walk->{who}, 'audiences', $walk->{in}));

    my $edge = $walk->{items}[$way eq 'next' ? -1 : 0];
    my @all = matching($w, $walk);
    my $past = $walk->{kind} eq 'contacts' ? sub { $_[0]{no} > $edge->{no} } : sub { $_[0]{no} < $edge->{no} };
    my @page = grep { $way eq 'next' ? $past->($_) : $_ != $edge && !$past->($_) } @all;
    @page = $way eq 'next' ? @page[0 .. $walk->{size} - 1] : @page[-$walk->{size} .. -1] if @page > $walk->{size};
    return page($w, $walk, $link, $walk->{number} + ($way eq 'next' ? 1 : -1), @page);
}

# asks for the page, and keeps its links unless it is empty
sub page {
    my ($w, $walk, $path, $number, @want) = @_;
    my $r = ask($w, $walk->{who}, GET => $path);
    return $w->{leak} if $w->{leak};
    return 'answered ' . $r->status if $r->status != 200;

    my ($got, $want) = map { join ' ', map { $_->{id} } @$_ } $r->data, \@want;
    return "items are [$got], not [$want]" if $got ne $want;
    for my $i (0 .. $#want) { my $wrong = fits($w, $want[$i], $r->data->[$i]); return "item $i: $wrong" if $wrong }

    my $page = $r->page;
    my @all = matching($w, $walk);
    return 'total is ' . json($page->{total}) . ', not ' . @all if json($page->{total}) ne json(0 + @all) ;
    return "size is $page->{size}, not " . @want if $page->{size} != @want;
    if (@want) {
        my ($first) = grep { $all[$_] == $want[0] } 0 .. $#all;
        my %there = (previous => $first > 0, next => $first + @want < @all);
        for my $link (sort keys %there) {
            return "$link is " . json($page->{links}{$link}) if !$there{$link} != !$page->{links}{$link};
        }
        $w->{walks}{ $walk->{n} } = { %$walk, number => $number, items => [@want], links => $page->{links} };
    }
    return undef;
}

# the other account's page token is none
sub do_foreign {
    my ($w, $s) = @_;
    my $walk = $w->{walks}{ $s->{walk} } or return undef;
    my ($link) = grep { $_ } @{ $walk->{links} }{qw(next previous)} or return undef;
    my $r = ask($w, 1 - $walk->{who}, GET => $link);
    return compare($w, 1 - $walk->{who}, $r, Campaign::Model::refuse($walk->{in} ? 1301 : 1009)) if !$walk->{in} || 1;
}


# steps against a new world, until one is wrong: its index and what is wrong with it
sub replay {
    my @steps = @_;
    my $w = world();
    for my $i (0 .. $#steps) {
        my $wrong = run_step($w, $steps[$i]);
        return ($i, "$wrong\n    $w->{asked}") if defined $wrong;
    }
    return;
}

# fewer steps that still go wrong at the end, as far as 30 seconds (CAMPAIGN_SHORTEN=n) allow: first those of its account or kind alone, then without one part after another
sub shorten {
    my ($wrong, @steps) = @_;
    my $until = time + ($ENV{CAMPAIGN_SHORTEN} // 30);
    my $last = $steps[-1];
    for my $alike (sub { $_[0]{who} == $last->{who} && $_[0]{kind} eq $last->{kind} }, sub { $_[0]{who} == $last->{who} }, sub { $_[0]{do} ne 'get' }) {
        my @less = grep { $alike->($_) } @steps;
        my ($i, $still) = replay(@less);
        next if !defined $i;
        @steps = @less[0 .. $i];
        $wrong = $still;
    }
    for (my $size = @steps >> 1; $size >= 1; $size >>= 1) {
        for (my $at = 0; $at + $size < @steps && time < $until; ) {
            my @less = @steps;
            splice @less, $at, $size;
            my ($i, $still) = replay(@less);
            if (defined $i) {
                @steps = @less[0 .. $i];
                $wrong = $still;
            } else {
                $at += $size;
            }
        }
    }
    return ($wrong, @steps);
}

run_tests();

__DATA__

=== TEST 1: whatever is asked, in whatever order, the answer is the model's
--- check
my $steps = $ENV{CAMPAIGN_STEPS} // 1500;
srand seed();

my $w = world();
my (@steps, $wrong, %done);
my $start = time;
for my $n (1 .. $steps) {
    my $s = step($w, $n);
    push @steps, $s;
    $wrong = run_step($w, $s);
    last if defined $wrong;
    my ($status) = $w->{asked} =~ / => (\d+)/;
    $done{"$s->{do} $status"}++;
}
if (defined $wrong) {
    ($wrong, @steps) = shorten("$wrong\n    $w->{asked}", @steps);
    diag join "\n", "the last of these steps: $wrong", map { '  ' . json($_) } @steps;
}
is($wrong, undef, "$steps steps");
Test::More::note(join ', ', sprintf('%.1f s', time - $start), map { "$_: $done{$_}" } sort keys %done);
