extension Topic {
    /// The topics of the in-distribution splits.
    static let familiar: [Topic] = [
        Topic(
            "gardening",
            objects: """
                hose / rake / wheelbarrow / greenhouse / lawn mower / watering can / compost bin / spade / trellis /
                sprinkler
                """,
            faults: """
                started to leak / cracked down the side / rusted through / would not start / fell over in the night /
                lost a wheel
                """,
            fixes: """
                tape the joint / replace the valve / move it into the shade / oil the hinges / add more mulch /
                dig it in deeper / cover it with fleece
                """,
            places: "behind the shed / at the allotment / by the back fence / in the front yard",
            events: "the village show / the first frost / the plant sale",
            skills: "growing tomatoes / pruning roses / raising seedlings / keeping slugs away / making compost",
            asides: """
                The soil here is mostly clay. / We get sun until about four. / The roses are late this year. /
                I mostly grow vegetables.
                """),
        Topic(
            "cycling",
            objects: """
                road bike / helmet / pump / saddle / rear wheel / chain / lock / jersey / mountain bike / headlight
                """,
            faults: """
                snapped on a hill / went flat twice / started to squeak / came loose / bent in a pothole /
                kept slipping
                """,
            fixes: """
                tighten the bolts / swap the inner tube / clean the gears / lower the seat / use a wider tyre /
                true the wheel / change the brake pads
                """,
            places: "on the river path / at the velodrome / near the old bridge / outside the station",
            events: "the club ride / the city race / the charity tour",
            skills: """
                riding in a group / climbing long hills / commuting by bike / fixing punctures / riding without hands
                """,
            asides: """
                I ride about five days a week. / The roads here are full of holes. / Most of my rides are short. /
                The wind is always against me.
                """),
        Topic(
            "cooking",
            objects: """
                frying pan / knife / pressure cooker / blender / cutting board / wok / oven / recipe book /
                food processor / stockpot
                """,
            faults: """
                burned on the bottom / lost its handle / would not heat up / started to smoke / went blunt /
                got stained for good
                """,
            fixes: """
                use less oil / soak it overnight / sharpen it on a stone / cook on a lower flame / add more salt /
                line it with paper / wash it by hand
                """,
            places: "in the kitchen / at the potluck / on the back burner / at the cooking class",
            events: "the family dinner / the school fair / the street party",
            skills: "making curry / cooking rice / frying eggs / making stock / cutting onions",
            asides: """
                I cook for four people most nights. / We have a gas stove. / Nobody here likes mushrooms. /
                I learned most of it from videos.
                """),
        Topic(
            "camping",
            objects: """
                tent / sleeping bag / camp stove / lantern / cooler / hammock / folding chair / water filter / tarp /
                backpack
                """,
            faults: """
                ripped along the seam / let the rain in / ran out of gas / lost a pole / got soaked / was full of ants
                """,
            fixes: """
                patch the hole / pitch it on higher ground / dry it in the sun / pack it in a bag / wax the zipper /
                bring a spare
                """,
            places: "at the lake / on the ridge / near the trailhead / in the state park",
            events: "the scout weekend / the long hike / the summer trip",
            skills: "lighting fires / sleeping outdoors / cooking on a stove / reading maps / tying knots",
            asides: """
                We go two or three times a year. / It gets cold up there. / There is no signal in the valley. /
                The bears are not a problem here.
                """),
        Topic(
            "photography",
            objects: """
                camera / tripod / zoom lens / flash / memory card / camera bag / printer / light meter /
                film scanner / lens cap
                """,
            faults: """
                stopped focusing / got sand inside / lost all my files / showed strange lines / fell off a wall /
                drained the battery
                """,
            fixes: """
                clean the contacts / update the firmware / shoot at a lower speed / use a faster card /
                send it in for service / turn off the stabiliser
                """,
            places: "at the wedding / on the beach / in the studio / at the zoo",
            events: "the gallery night / the photo walk / the wedding season",
            skills: "taking portraits / shooting at night / editing photos / developing film / photographing birds",
            asides: """
                I only shoot as a hobby. / The light there is lovely. / I still use an old model. /
                I posted a few pictures last year.
                """),
        Topic(
            "guitar",
            objects: """
                acoustic guitar / amplifier / capo / pedal / guitar strap / tuner / electric guitar / guitar case /
                set of strings / microphone
                """,
            faults: """
                went out of tune / buzzed on every note / snapped on stage / cut out after a song /
                cracked at the neck / made a loud hum
                """,
            fixes: """
                change the strings / raise the action / check the cable / turn down the gain / loosen the neck /
                use a different pick
                """,
            places: "at the open mic / in the basement / at band practice / in the music shop",
            events: "the school concert / the band rehearsal / the talent show",
            skills: """
                playing barre chords / singing while playing / playing scales / writing songs /
                playing with a metronome
                """,
            asides: """
                I play mostly old country songs. / My fingers still hurt. / We have no drummer yet. /
                The walls here are thin.
                """),
        Topic(
            "woodworking",
            objects: """
                table saw / workbench / chisel / drill / router / hand plane / bookshelf / clamp / sander / oak table
                """,
            faults: """
                split along the grain / warped after a week / jammed on the first cut / wobbled on the floor /
                lost its edge / tripped the fuse
                """,
            fixes: """
                sand it down / glue the joint / use a longer screw / let the wood dry / square the fence /
                sharpen the blade
                """,
            places: "in the garage / at the lumber yard / in the workshop / at the makerspace",
            events: "the craft fair / the baby shower / the shop class",
            skills: "cutting dovetails / building shelves / turning bowls / finishing wood / using a plane",
            asides: """
                I only work with pine. / My shop is very small. / There is dust on everything. /
                I have most of the basic tools.
                """),
        Topic(
            "running",
            objects: """
                pair of running shoes / sports watch / treadmill / water belt / headband / foam roller / rain jacket /
                pair of shorts / race bib / knee brace
                """,
            faults: """
                gave me blisters / fell apart at the sole / stopped counting / slipped down all the time /
                tore at the heel / lost its charge
                """,
            fixes: """
                rest for a week / run on grass / take shorter steps / tie it tighter / stretch every night /
                warm up longer
                """,
            places: "on the track / at mile nine / in the park / along the canal",
            events: "the half marathon / the office relay / the spring race",
            skills: """
                running before work / running uphill / training for a marathon / breathing through the nose /
                running on trails
                """,
            asides: """
                I run three times a week. / My pace is nothing special. / The summers here are hot. /
                I used to play football.
                """),
        Topic(
            "fishing",
            objects: """
                fishing rod / reel / tackle box / net / kayak / bait bucket / pair of waders / fish finder / anchor /
                lure
                """,
            faults: """
                broke at the tip / tangled every cast / sank in the mud / filled with water / came off the hook /
                would not lock
                """,
            fixes: """
                use a lighter line / go out at dawn / rinse off the salt / tie a better knot / try live bait /
                grease the bearings
                """,
            places: "on the pier / at the reservoir / below the dam / off the north shore",
            events: "the opening day / the bass contest / the father and son trip",
            skills: "fly casting / catching trout / fishing from a kayak / ice fishing / tying flies",
            asides: """
                The water was very clear. / I let most of them go. / We start before sunrise. /
                There are more boats every year.
                """),
        Topic(
            "knitting",
            objects: """
                wool scarf / set of needles / baby blanket / yarn bag / cable sweater / pattern book / yarn winder /
                pair of mittens / wool hat / stitch counter
                """,
            faults: """
                came apart in the wash / shrank to half the size / curled at the edges / got eaten by moths /
                had a hole in the middle / turned out far too big
                """,
            fixes: """
                block it flat / use thicker yarn / count every row / rip it back / wash it cold /
                switch to bamboo needles
                """,
            places: "at the yarn shop / on the train / at the knitting circle / on the sofa",
            events: "the winter market / the baby shower / the wool festival",
            skills: "knitting socks / reading charts / knitting cables / weaving in ends / dyeing wool",
            asides: """
                I knit while watching films. / The wool was a present. / I have too much yarn. /
                It keeps my hands busy.
                """),
        Topic(
            "baking",
            objects: """
                loaf tin / stand mixer / rolling pin / sourdough starter / cake stand / kitchen scale /
                proofing basket / cookie sheet / birthday cake / piping bag
                """,
            faults: """
                came out flat / stuck to the bottom / burned at the edges / sank in the middle / smelled of vinegar /
                stopped turning
                """,
            fixes: """
                lower the temperature / knead it longer / feed it twice a day / use bread flour /
                add a pinch of sugar / chill the dough
                """,
            places: "at the bakery / in the church hall / in my tiny oven / at the bake sale",
            events: "the bake sale / the birthday party / the tea afternoon",
            skills: "baking sourdough / decorating cakes / folding pastry / making bagels / shaping loaves",
            asides: """
                I bake every Sunday. / Our flour is from a local mill. / The kitchen is quite cold. /
                The kids eat all of it anyway.
                """),
        Topic(
            "cars",
            objects: """
                pickup truck / spare tyre / car battery / windshield / roof rack / old sedan / car stereo / bumper /
                exhaust / side mirror
                """,
            faults: """
                would not start / made a grinding noise / got scratched badly / leaked on the driveway /
                overheated in traffic / fell off on the highway
                """,
            fixes: """
                change the oil / check the fuses / flush the radiator / call a mechanic / charge it overnight /
                replace the belt
                """,
            places: "in the parking lot / on the highway / at the car wash / outside the garage",
            events: "the road trip / the yearly inspection / the long drive home",
            skills: "driving stick / changing oil / parking on hills / towing a trailer / painting a fender",
            asides: """
                It has done a lot of miles. / I drive to work every day. / The insurance is not cheap. /
                I bought it from a relative.
                """),
        Topic(
            "computers",
            objects: """
                laptop / keyboard / graphics card / monitor / hard drive / wireless router / phone charger /
                desktop tower / webcam / power supply
                """,
            faults: """
                froze during a call / showed a blue screen / dropped the connection / got very hot /
                deleted my files / made a clicking sound
                """,
            fixes: """
                reinstall the drivers / clean out the dust / change the cable / run a memory test /
                roll back the update / add a second fan
                """,
            places: "at the office / in the server room / in the library / at home",
            events: "the job interview / the exam week / the product launch",
            skills: """
                building computers / writing scripts / setting up a network / making backups / typing without looking
                """,
            asides: """
                I am not a technical person. / It is three years old. / Everything else works fine. /
                The support line was no help.
                """),
        Topic(
            "dogs",
            objects: """
                dog bed / leash / crate / harness / food bowl / chew toy / dog door / training collar / puppy pen /
                dog coat
                """,
            faults: """
                got chewed to pieces / came undone / smelled terrible / was torn in two / slipped off in the street /
                did not fit any more
                """,
            fixes: """
                walk him earlier / use more treats / keep him on a short lead / ignore the barking / ask a trainer /
                change his food
                """,
            places: "at the dog park / at the vet / in the hallway / on our morning walk",
            events: "the puppy class / the dog show / the move to the city",
            skills: "teaching recall / crate training / walking two dogs / brushing his teeth / clicker training",
            asides: """
                He is a very sweet dog. / We adopted him in spring. / He sleeps most of the day. /
                He barks at the mailman.
                """),
        Topic(
            "aquariums",
            objects: """
                fish tank / filter / heater / air pump / glass lid / light strip / gravel vacuum / test kit /
                driftwood / snail trap
                """,
            faults: """
                turned green / clouded up overnight / stopped bubbling / leaked on the carpet / boiled the water /
                grew a grey film
                """,
            fixes: """
                change half the water / add more plants / feed less / rinse the sponge / test for ammonia /
                turn the lights off
                """,
            places: "in the living room / at the pet shop / in my classroom / next to the window",
            events: "the fish auction / the house move / the open house",
            skills: "keeping shrimp / breeding guppies / planting a tank / cycling a tank / keeping corals",
            asides: """
                The fish seem calm. / I have twelve small tetras. / The tap water is hard. /
                It sits away from the sun.
                """),
        Topic(
            "painting",
            objects: """
                easel / canvas / brush set / watercolour box / sketchbook / palette knife / oil portrait / frame /
                drawing tablet / spray can
                """,
            faults: """
                dried out / smeared in the rain / cracked after a month / got paint on the floor / faded in the sun /
                tipped over
                """,
            fixes: """
                use thinner layers / prime it twice / store it flat / wash the brushes / add a varnish /
                work from a photo
                """,
            places: "at the art school / in the attic / at the museum / in the hallway",
            events: "the art fair / the student show / the portrait class",
            skills: "mixing colours / painting faces / drawing hands / painting outdoors / sketching people",
            asides: """
                I paint after work. / Oil takes so long to dry. / I have sold two pictures so far. /
                I never went to art school.
                """),
        Topic(
            "coffee",
            objects: """
                espresso machine / grinder / kettle / travel mug / milk frother / french press / bag of beans /
                paper filter / moka pot / coffee scale
                """,
            faults: """
                tasted burnt / clogged every morning / dripped on the counter / shattered in the sink /
                stopped pumping / went stale in days
                """,
            fixes: """
                grind it finer / descale it / use filtered water / lower the dose / warm the cup first /
                buy fresher beans
                """,
            places: "at the cafe / in the break room / on the counter / at the roastery",
            events: "the brunch / the tasting / the morning meeting",
            skills: "pouring latte art / roasting beans / pulling shots / brewing cold coffee / tasting coffee",
            asides: """
                I drink two cups a day. / I take it black. / The beans were from a small roaster. /
                Nobody else at home drinks it.
                """),
        Topic(
            "tennis",
            objects: """
                racket / pair of court shoes / ball machine / tennis bag / grip tape / net / sun visor / wrist band /
                ball basket / scoreboard
                """,
            faults: """
                snapped a string / lost its bounce / twisted in my hand / wore out in a month / cracked at the frame /
                gave me a sore elbow
                """,
            fixes: """
                lower the tension / bend the knees / toss the ball higher / use a softer string /
                practise against a wall / shorten the swing
                """,
            places: "on the clay court / at the club / in the second set / at the sports centre",
            events: "the club final / the doubles night / the company cup",
            skills: "serving wide / playing doubles / hitting backhands / returning fast serves / playing at the net",
            asides: """
                I play twice a week. / The courts are always full. / My partner is left handed. /
                I learned it as a child.
                """),
        Topic(
            "skiing",
            objects: """
                pair of skis / snowboard / ski pass / pair of goggles / ski jacket / pair of boots / ski poles /
                avalanche beacon / roof box / wax kit
                """,
            faults: """
                fogged up at once / got stolen from the rack / pinched my toes / came off in a turn /
                was scratched by a rock / froze shut
                """,
            fixes: """
                wax the base / loosen the bindings / rent for a season / wear thinner socks / take a lesson /
                heat the liner
                """,
            places: "on the red slope / at the lodge / under the lift / in the back bowl",
            events: "the ski week / the slalom day / the last weekend of the season",
            skills: "skiing powder / carving turns / skiing moguls / riding switch / stopping on ice",
            asides: """
                There was not much snow. / The lift lines were long. / We drove up at five. / I started late in life.
                """),
        Topic(
            "videogames",
            objects: """
                game console / controller / gaming chair / headset / save file / game disc / steering wheel /
                handheld / arcade stick / steam key
                """,
            faults: """
                drifted to the left / crashed at the last boss / got banned by mistake / would not load /
                broke in half / lagged all evening
                """,
            fixes: """
                restart the router / lower the settings / clear the cache / replace the stick / contact support /
                play offline
                """,
            places: "in ranked mode / at my desk / at the arcade / on the couch",
            events: "the launch night / the guild raid / the final match",
            skills: """
                speedrunning / playing fighting games / leading raids / aiming with a mouse / playing on hard mode
                """,
            asides: """
                I only play at night. / My account is very old. / The servers are in another country. /
                I skipped the last two games.
                """),
        Topic(
            "sewing",
            objects: """
                sewing machine / dress form / pair of scissors / zipper / wool coat / quilt / thread box / iron /
                pin cushion / linen shirt
                """,
            faults: """
                skipped every stitch / tore at the seam / jammed on denim / left a burn mark / came out crooked /
                frayed at the hem
                """,
            fixes: """
                change the needle / press it first / cut on the bias / loosen the tension / pin it twice /
                use a zigzag stitch
                """,
            places: "at the fabric store / in the spare room / at the quilt group / on the kitchen table",
            events: "the costume party / the school play / the prom",
            skills: "making dresses / hemming trousers / quilting / sewing zippers / altering jackets",
            asides: """
                The fabric was on sale. / I sew for my family. / It is an old machine. / I follow the pattern closely.
                """),
        Topic(
            "boardgames",
            objects: """
                chess set / card box / dice tower / game shelf / strategy game / playmat / rule book / puzzle /
                timer / set of meeples
                """,
            faults: """
                was missing a piece / got soaked with beer / fell off the table / bent in the mail / took five hours /
                ended in a fight
                """,
            fixes: """
                play with a timer / sleeve the cards / read the rules again / drop the expansion / print new tokens /
                teach it slowly
                """,
            places: "at game night / in the cafe / at the convention / at our cabin",
            events: "the game night / the tournament / the holiday weekend",
            skills: "playing openings / teaching rules / painting figures / bluffing / running a campaign",
            asides: """
                We are usually five people. / I own too many games. / I hate losing. / We meet every second week.
                """),
        Topic(
            "homerepair",
            objects: """
                dishwasher / kitchen sink / front door / water heater / ladder / ceiling fan / garage door /
                bathroom tile / washing machine / window frame
                """,
            faults: """
                leaked through the floor / would not close / made a banging noise / cracked in the cold /
                flooded the hallway / lost power
                """,
            fixes: """
                call a plumber / seal the gap / shut off the water / replace the washer / paint over it /
                tighten the screws
                """,
            places: "in the basement / on the second floor / in the bathroom / at the rental",
            events: "the house sale / the inspection / the family visit",
            skills: "laying tiles / fixing drywall / wiring lamps / painting ceilings / hanging doors",
            asides: """
                The house is from the sixties. / We moved in last year. / I rent the place. /
                The walls are not straight.
                """),
        Topic(
            "travel",
            objects: """
                suitcase / passport / train ticket / hotel booking / rental car / neck pillow / guide book /
                phone plan / money belt / plane seat
                """,
            faults: """
                got lost on the way / was double booked / expired a day early / was cancelled at night /
                broke at the airport / cost twice the price
                """,
            fixes: """
                call the airline / take the night bus / book a hostel / ask at the embassy / travel lighter /
                change the dates
                """,
            places: "at the border / in the old town / at the airport / on the island",
            events: "the honeymoon / the conference / the class trip",
            skills: "travelling alone / packing light / haggling / flying with kids / hitchhiking",
            asides: """
                It was my first time there. / The food was great. / I do not speak the language. /
                I had saved for a year.
                """),
    ]

    /// The topics of the out-of-distribution splits. Their words do not occur in the familiar topics.
    static let unfamiliar: [Topic] = [
        Topic(
            "beekeeping",
            objects: """
                beehive / honey extractor / bee veil / smoker / queen excluder / nuc box / frame grip / pollen trap
                """,
            faults: """
                swarmed without warning / crystallised overnight / attracted hornets / absconded in June /
                warped the brood frames
                """,
            fixes: """
                requeen the colony / dust them with sugar / treat for varroa mites / split the hive /
                reduce the entrance
                """,
            places: "in the apiary / beside the clover meadow / under the linden trees / at the honey house",
            events: "the honey harvest / the county honey show / the nectar flow",
            skills: "marking queens / rendering wax / catching swarms / overwintering colonies / grafting larvae",
            asides: """
                The bees were gentle until August. / The neighbours love the honey. /
                Drones were everywhere that afternoon. / The colony came through winter strong. /
                Propolis sticks to everything. / I count mites every fortnight. / My swarm box hangs in the orchard. /
                The extractor room smells of wax.
                """),
        Topic(
            "pottery",
            objects: """
                kiln / potter's wheel / stoneware vase / glaze bucket / teapot / porcelain bowl / clay slab /
                ribbon tool
                """,
            faults: """
                exploded in the bisque firing / crawled off the rim / collapsed while centring / bloated at cone ten /
                warped on the shelf
                """,
            fixes: "wedge the clay longer / dry it under plastic / thin the slip / fire it slower / compress the base",
            places: "at the ceramics co-op / in the kiln shed / on the throwing bench / at the wood firing",
            events: "the raku evening / the holiday studio sale / the kiln opening",
            skills: "throwing cylinders / pulling handles / mixing glazes / trimming feet / hand building",
            asides: """
                Cobalt has become expensive. / Everyone at the studio fires to cone six. / Porcelain hates me. /
                The clay body was new to us. / Greenware is so fragile. / My apron is stiff with slip. /
                The pug mill was broken again. / Ash glazes are hard to repeat.
                """),
        Topic(
            "sailing",
            objects: "dinghy / mainsail / outboard motor / spinnaker / rudder / life vest / bilge pump / winch",
            faults: """
                capsized in a gust / chafed through / seized offshore / tore along the luff /
                corroded under the waterline
                """,
            fixes: "reef earlier / grease the shackles / ease the mainsheet / replace the halyard / antifoul the hull",
            places: "in the marina / off the headland / at the slipway / near the channel buoy",
            events: "the regatta / the autumn haul-out / the channel crossing",
            skills: """
                gybing downwind / docking under sail / trimming the jib / celestial navigation / single-handed sailing
                """,
            asides: """
                The tide was turning. / The harbourmaster knows the boat. / Forecasts here are useless. /
                Visibility dropped to half a mile. / The keel had been scraped in April. /
                Kelp fouled the propeller. / Our skipper naps at the helm. / Barnacles cover the mooring.
                """),
        Topic(
            "astronomy",
            objects: """
                telescope / eyepiece / equatorial mount / dew heater / star atlas / solar filter / finderscope /
                observing dome
                """,
            faults: """
                drifted off the target / dewed over by midnight / lost collimation / showed ghost images /
                would not track Saturn
                """,
            fixes: """
                polar align it again / collimate the mirrors / stack more exposures / wait for better seeing /
                balance the counterweight
                """,
            places: "at the dark site / on the observatory roof / at the star party / under suburban skies",
            events: "the lunar eclipse / the Perseid night / the transit of Mercury",
            skills: """
                sketching nebulae / imaging galaxies / splitting double stars / hunting comets /
                guiding long exposures
                """,
            asides: """
                The Milky Way was bright. / Jupiter was close to opposition. / Clouds ruined most of the month. /
                The moon washed everything out. / Betelgeuse flickered near the horizon. /
                My logbook goes back to Hale-Bopp. / Dew forms fast out there. / The aperture is only six inches.
                """),
        Topic(
            "blacksmithing",
            objects: """
                anvil / coal forge / leg vise / damascus blade / quench tank / power hammer / pair of tongs /
                wrought gate
                """,
            faults: """
                delaminated in the quench / spalled at the horn / scaled badly / cracked along the weld /
                went out mid heat
                """,
            fixes: "normalise it thrice / flux it sooner / choke the blower / temper it straw / upset the shoulder",
            places: "in the smithy / at the hammer-in / beside the scrapyard / at the folk museum",
            events: "the hammer-in / the medieval fair / the knife guild show",
            skills: "forge welding / drawing tapers / heat treating / punching eyes / making nails",
            asides: """
                Coke burns hotter than charcoal. / Spring steel is easy to find. /
                The village council dislikes the smoke. / My arms ached for days. / Borax stains the floor. /
                The bellows belonged to a farrier. / Clinker builds up quickly. / Sparks set off the alarm once.
                """),
        Topic(
            "genealogy",
            objects: """
                family tree / parish register / census scan / DNA kit / photo archive / immigration record /
                surname index / letter collection
                """,
            faults: """
                listed the wrong ancestor / crumbled at the binding / contradicted the baptism /
                skipped a generation / turned up an unknown half cousin
                """,
            fixes: """
                order the certificate / compare the handwriting / write to the archive / check the variant spellings /
                upload the raw file
                """,
            places: "at the county archive / in the microfilm room / at the cemetery / on the ancestry forum",
            events: "the family reunion / the centenary / the archive open day",
            skills: """
                reading gothic script / citing sources / transcribing wills / tracing emigrants / matching segments
                """,
            asides: """
                Half the village had the same surname. / The vicar's Latin was dreadful. /
                The fire of 1890 destroyed a lot. / Dates before that are guesses. /
                The godparents were never named. / Grandfather's diary is in Yiddish. /
                The sexton kept poor records. / A clerk misspelled us in 1911.
                """),
    ]
}
