"""What images hold, and what that makes of them: for verbs that look and change nothing.

image        one image, counted
presets      which palettes explain colours
encodings    colours that are numbers: ids, instances, indices
photographs  colours that are too many and too rare for a mask
verdicts     what an image is, in words
facts        what a report tells of it
tally        many images, counted together in bounded memory
blends       unknown colours: how near, and which are blended borders
choosing     which palette explains a dump, and what it lacks
conclusions  what a dump is, in words, and the command to run next
notes        what else there is to know of it
"""
